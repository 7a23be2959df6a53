"""What runs a network: torch, or ONNX Runtime on a CPU where it is installed. Both give the same numbers.

On 2 cores with Inception at 299 pixels, batches of 25 (images a second): torch-fidelity's own module 11, folded
and with channels last 24, ONNX Runtime 33, OpenVINO 35 after eight seconds of conversion; torch's prepacked weights, by
`mkldnn_reorder_conv2d_weight` or `optimize_for_inference`, were slower than channels last (20 and 17).
"""

from __future__ import annotations

import importlib.metadata
import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from grader.judges.devices import choose_device
from grader.judges.networks import build_network
from grader.judges.protocols import Protocol
from grader.judges.resizing import resize
from grader.judges.weights import Weights

ON_CPU, ON_GPU = 10, 100  # images of a batch: more are slower on a CPU, and take memory
_EXPORTED = {"inception", "torchvision_inception"}  # those that are worth the second it takes


@dataclass(frozen=True)
class Engine:
    """A network that is ready to run. `origin`: device and library, such as `cpu torch 2.13.0`."""

    origin: str
    device: torch.device
    network: Callable[[Tensor], Mapping[str, Tensor]]

    @property
    def batch(self) -> int:
        """How many images it takes at once."""
        return ON_CPU if self.device.type == "cpu" else ON_GPU

    def run(self, protocol: Protocol, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The outputs of a batch uint8 ``(n, h, w, 3)``, side by side in the protocol's order, ``(n, width)``."""
        with torch.inference_mode():
            found = self.network(prepare(protocol, images, self.device))
            joined = torch.cat([found[output] for output in protocol.outputs], 1)
        return joined.to(torch.float32).cpu().numpy()


def prepare(protocol: Protocol, images: NDArray[np.uint8], device: torch.device) -> Tensor:
    """uint8 ``(n, h, w, 3)`` to the network's input, float32 ``(n, 3, side, side)``."""
    x = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).to(torch.float32).contiguous()
    return (resize(x, protocol.resize, protocol.side) - protocol.offset) / protocol.scale


def build_engine(protocol: Protocol, weights: Weights, device_name: str) -> Engine:
    """The protocol's network on a device. Raises UsageError for wrong weights or a device that isn't there."""
    device = choose_device(device_name)
    network = build_network(protocol.judge, weights)
    if device.type == "cpu" and protocol.judge in _EXPORTED:
        session = _onnx_session(network, protocol)
        if session is not None:
            return Engine(f"cpu onnxruntime {importlib.metadata.version('onnxruntime')}", device, session)
    network.to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch lacks this overload

    def run(x: Tensor) -> Mapping[str, Tensor]:
        found: Mapping[str, Tensor] = network(x.contiguous(memory_format=torch.channels_last))
        return found

    return Engine(f"{device.type} torch {torch.__version__}", device, run)


class _Positional(nn.Module):
    """A network whose outputs are a tuple, since ONNX knows no dictionaries."""

    def __init__(self, network: nn.Module, outputs: Mapping[str, int]) -> None:
        super().__init__()
        self.network, self.outputs = network, list(outputs)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        found = self.network(images)
        return tuple(found[name] for name in self.outputs)


def _onnx_session(network: nn.Module, protocol: Protocol) -> Callable[[Tensor], Mapping[str, Tensor]] | None:
    """The same network in ONNX Runtime; None if it isn't installed or this torch can't export it."""
    try:
        import onnx  # noqa: F401  (torch's exporter needs it)
        import onnxruntime
    except ModuleNotFoundError:
        return None
    names = list(protocol.outputs)
    out = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's own: it is the one that needs no further package
            torch.onnx.export(
                _Positional(network, protocol.outputs).eval(),
                (torch.zeros(1, 3, protocol.side, protocol.side),),
                out,  # type: ignore[arg-type]  # this exporter writes into any file, whatever its annotation says
                dynamo=False,
                input_names=["images"],
                output_names=names,
                dynamic_axes={name: {0: "n"} for name in ("images", *names)},
            )
    except Exception:  # another torch: its own kernels do the same
        return None
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # Between batches torch resizes images: threads that wait by spinning would take its cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session: Any = onnxruntime.InferenceSession(out.getvalue(), options, providers=["CPUExecutionProvider"])

    def run(x: Tensor) -> Mapping[str, Tensor]:
        found = session.run(names, {"images": x.contiguous().numpy()})
        return {name: torch.from_numpy(value) for name, value in zip(names, found, strict=True)}

    return run
