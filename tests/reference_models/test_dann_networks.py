"""The network of the adaptation families: norms by domain, the reversed gradient, labels and features."""

from __future__ import annotations

import pytest
import torch

from reference_models.dann_networks import DomainNorm, Net, features, predict, reverse


def test_the_reversed_gradient() -> None:
    x = torch.randn(5, 3, requires_grad=True)
    y = reverse(x, 0.25)
    assert torch.equal(x, y)
    (y * torch.arange(3.0)).sum().backward()
    assert x.grad is not None and torch.equal(x.grad, -0.25 * torch.arange(3.0).expand(5, 3))


def test_norms_keep_statistics_of_each_domain() -> None:
    norm = DomainNorm(2, 2)
    torch.manual_seed(0)
    x = torch.cat([torch.randn(50, 2, 3, 3), 5 + torch.randn(30, 2, 3, 3)])
    made = norm(x, 50)
    assert float(made[:50].mean().detach()) == pytest.approx(0, abs=1e-5)
    assert float(made[50:].mean().detach()) == pytest.approx(0, abs=1e-5)
    assert norm.mean[0].abs().max() < 0.1 and norm.mean[1].min() > 0.4
    single = torch.nn.BatchNorm2d(2)
    assert torch.allclose(DomainNorm(2, 1)(x, 50), single(x), atol=1e-6)
    alone = DomainNorm(2, 2)
    alone(x)
    assert alone.mean[0].abs().max() == 0 and alone.mean[1].abs().max() > 0


def test_an_input_norm_takes_out_brightness_and_contrast() -> None:
    torch.manual_seed(0)
    images = torch.rand(2, 3, 28, 28)
    network = Net(instance_norm=True, domains=1).eval()
    assert torch.allclose(network(images), network(images * 0.5 - 0.3), atol=1e-3)
    plain = Net(instance_norm=False, domains=1).eval()
    assert not torch.allclose(plain(images), plain(images * 0.5 - 0.3), atol=1e-3)


def test_features_and_labels_belong_together() -> None:
    torch.manual_seed(0)
    network = Net(instance_norm=True, domains=2)
    network(torch.randn(20, 3, 28, 28), 10)
    images = torch.randint(0, 256, (7, 3, 28, 28), dtype=torch.uint8)
    labels, found = predict(network, images), features(network, images)
    assert found.shape == (7, 128) and found.dtype == torch.float32
    assert torch.equal(network.label(found.double()).argmax(1), labels)
    assert not torch.equal(found, features(network, images, source=True))
    assert network.training  # as it was


def test_layouts_of_memory_give_the_same_labels() -> None:
    torch.manual_seed(0)
    network = Net(instance_norm=True, domains=1)
    images = torch.randint(0, 256, (50, 3, 28, 28), dtype=torch.uint8)
    expected = predict(network, images)
    assert torch.equal(predict(network, images.contiguous(memory_format=torch.channels_last)), expected)
    assert torch.equal(torch.cat([predict(network, part) for part in images.split(7)]), expected)
