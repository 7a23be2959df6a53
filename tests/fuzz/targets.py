"""What is fuzzed: each parser with seeds to start from and words that its format knows."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.fuzz import parsers

_ROOT = Path(__file__).parent.parent.parent
_GOOD = _ROOT / "fixtures" / "submission"


@dataclass(frozen=True)
class Target:
    """`seeds` are made when asked for; `longest`: bytes of an input; `share`: of a campaign, 1 is a usual one."""

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    words: tuple[bytes, ...] = ()
    longest: int = 4096
    share: float = 1.0


def _names() -> list[bytes]:
    good = "\n".join(f"{d}_{n:03}.png" for d in range(3) for n in range(1, 4))
    return [good.encode(), b"0-1.png\n0_000.png\n001_2.PNG\nnotes.txt\n0_004.png", b"2_003.jpg\n\xff.png\n9_9_9.png"]


def _tables() -> list[bytes]:
    rows = "".join(f"{i:05}.png,{i}\n" for i in range(4))
    good = f"image_name,label\n{rows}".encode()
    seeds = [good, good.replace(b",", b";"), b"\xef\xbb\xbf" + good, good.replace(b"\n", b"\r"), rows.encode()]
    return [*seeds, b'image_name,label\n"00000.png","1\n00001.png,1.0\n,,\n', b"label,image_name\n3,00001.png\n"]


def _logs() -> list[bytes]:
    good = b"step,loss,other\n0,1.5,2\n100,0.5,nan\n"
    return [good, good.replace(b"100", b"100.0"), b"loss,step\n1e400,0\n", b'step,loss,other,"x\ny"\n1,2,3,4\n']


def _assignments() -> list[bytes]:
    tiny = _ROOT / "fixtures" / "hostile" / "assignment.toml"
    return [tiny.read_bytes(), *(p.read_bytes() for p in sorted((_ROOT / "grader" / "assignments").glob("*.toml"))[:2])]


def _zips() -> list[bytes]:
    seeds = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as z:
            z.writestr("a/b.txt", b"one two " * 9)
            z.writestr("c.csv", b"x,y\n")
            z.mkdir("d")
        seeds.append(out.getvalue())
    with zipfile.ZipFile(out, "a") as z:
        z.comment = b"PK\5\6 a comment"
        with z.open("large", "w", force_zip64=True) as f:
            f.write(b"1")
    return [*seeds, out.getvalue()]


def _pngs() -> list[bytes]:
    from PIL import Image

    def saved(image: Image.Image, **how: object) -> bytes:
        out = io.BytesIO()
        image.save(out, format="PNG", **how)
        return out.getvalue()

    small = Image.effect_noise((28, 28), 40).convert("RGB")
    tiny = small.resize((4, 3))
    modes = [saved(tiny.convert(mode)) for mode in ("1", "L", "LA", "P", "RGBA", "I;16")]
    frames = saved(tiny, save_all=True, append_images=[tiny.transpose(Image.Transpose.FLIP_TOP_BOTTOM)])
    return [saved(small), saved(tiny), saved(tiny, compress_level=0), *modes, frames]


def _jpegs() -> list[bytes]:
    from PIL import Image

    seeds = []
    image = Image.effect_noise((24, 17), 40)
    for mode, how in (("L", {}), ("RGB", {"progressive": True}), ("CMYK", {}), ("RGB", {"subsampling": 2})):
        out = io.BytesIO()
        image.convert(mode).save(out, format="JPEG", quality=60, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0", **how)
        seeds.append(out.getvalue())
    return seeds


def _grids() -> list[bytes]:
    white = b"\xff\xff\xff"
    return [b"\1\2\3", bytes(range(256)), b"\x30\x20" + white * 40 + bytes(range(99)), b"\x0a\x02" + white * 50 + b"\0"]


def _weights() -> list[bytes]:
    import torch
    from safetensors.torch import save

    state = {"a.weight": torch.ones(2, 3), "a.bias": torch.zeros(2, dtype=torch.float16)}
    seeds = [save(state)]
    for new in (True, False):
        out = io.BytesIO()
        torch.save({"state_dict": state}, out, _use_new_zipfile_serialization=new)
        seeds.append(out.getvalue())
    return seeds


def _scores() -> list[bytes]:
    problem = {"id": "p", "points": 3.5, "max_points": 6, "state": "pass"}
    manual = {"problem": "p", "title": "t", "points": 2}
    head = {"schema": "grader/score/1", "assignment": "a", "assignment_digest": "d"}
    return [json.dumps(head | {"problems": [problem], "manual": [manual]}).encode()]


def _claims() -> list[bytes]:
    measure = {"id": "m", "state": "pass", "n": 5, "value": 0.5, "baselines": [], "provenance": {}}
    measure["baselines"] = [{"name": "b", "earned": 1.5}]
    finding = {"rule": "r", "severity": "error"}
    problem = {"id": "p", "state": "pass", "points": 1.5, "max_points": 3, "measures": [measure], "findings": [finding]}
    head = {"schema": "grader/score/1", "assignment": "dlcv-fall2021-hw2", "assignment_digest": "d", "points": 1.5}
    more = {"submission_digest": "e", "state": "pass", "max_points": 3, "problems": [problem]}
    return [json.dumps(head | more).encode()]


def _scripts() -> list[bytes]:
    texts = (
        "#!/bin/bash\nmkdir -p $1; cd $1 && python3 a.py --x=/home/me \"$(rm -r 'x')\" # cp\n",
        "for f in *.png; do mv \"$f\" ~/x; done\ncat <<EOF | sh -c 'rm x'\n$(cp a b)\nEOF\n",
        "A=1 sudo env B=2 rm x\nfunction f { case $1 in a) echo 'b' ;; esac; }\ntrap 'rm x' EXIT\n",
        "eval \"ev\"al 'rm x'; ((i++)); [[ $a =~ ^/x ]] && exec >$'\\x41' 2>&1; alias r=rm\n",
    )
    return [text.encode() for text in texts] + ["echo naïve «rm» 漢\n".encode()]


def _tags() -> list[bytes]:
    return [b"1,blue hair red eyes\n2,long hair:9\tgreen hair:4\taqua eyes:2\n", b"x,\n1,grey hair red eyes\n1,\n"]


def _statistics() -> list[bytes]:
    import numpy as np

    from grader.metrics.fid import Gaussian
    from grader.references.statistics import ReferenceFile

    gaussian = Gaussian(np.zeros(2), np.eye(2), 5)
    return [ReferenceFile("face/test", "p", "j", "0" * 64, "1" * 64, gaussian, None, "0.1").to_bytes()]


def _times() -> list[bytes]:
    return [
        b"student,time\nada,2026-11-05T21:14:09+08:00\nbob,2026-11-07T00:30:00Z\n",
        b"student,time,attempt,submission\nada,2026-11-05T21:14:09+08:00,1,ada_1\nada,2026-11-06T21:14:09Z,2,ada_2\n",
    ]


def _overrides() -> list[bytes]:
    said = 'who = "Lin"\nwhen = 2026-11-20\nwhy = "ill"\n'
    head = '[[override]]\nstudent = "ada"\n'
    kinds = ('problem = "dann"\npoints = 3.5\n', "extension_days = 3\n", "excuse = true\n")
    return [b'schema = "grader/overrides/1"\n' + "".join(head + kind + said for kind in kinds).encode()]


def _entries() -> list[bytes]:
    from grader.batch.entries import Entry

    report = {"schema": "grader/score/1", "problems": []}
    return [
        Entry("ada", "ada.zip", "d", {"dann": "k"}, "pass", "", 1, report, "f", {"seconds": 1}).to_json().encode(),
        Entry("ada", "ada", "", {}, "error", "took too long", 3).to_json().encode(),
    ]


def _fingerprints() -> list[bytes]:
    import numpy as np

    from grader.similarity.descriptors import WIDTH
    from grader.similarity.fingerprints import Fingerprint, Images, Script, Table, pack

    digests, details = np.zeros((2, 16), np.uint8), np.ones((2, WIDTH), np.int8)
    images = Images("acgan", "digits", "acgan", ("a.png", "b.png"), False, digests, details, np.zeros(2, np.bool_))
    labels = np.arange(3, dtype=np.uint16)
    table = Table("dann", "usps", "dann/usps.csv", "n", labels, labels)
    script = Script("train.py", 40, "d" * 32, np.arange(4, dtype=np.uint32))
    return [pack(Fingerprint((images,), (table,), (script,), "."))]


_KEYS = b"schema id title problem deliverable kind path count size label names template measure metric baseline".split()
_TOML = (*_KEYS, b"[[problem]]", b"[[problem.deliverable]]", b'"grader/assignment/1"', b"least", b"grid", b"tile")

TARGETS: dict[str, Target] = {
    "names": Target(parsers.names, _names, (b"_", b".png", b"000", b"101"), 1000),
    "table": Target(parsers.table, _tables, (b"image_name", b"label", b'"', b"\r\n", b"00000.png", b"\xef\xbb\xbf")),
    "log": Target(parsers.log, _logs, (b"step", b"loss", b"other", b"nan", b"1e999", b'"', b"\r")),
    "assignment": Target(parsers.assignment, _assignments, _TOML, 8192),
    "archive": Target(parsers.archive, _zips, (b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"../", b"\1\0")),
    "png": Target(
        parsers.png, _pngs, (b"IHDR", b"IDAT", b"IEND", b"acTL", b"fcTL", b"tRNS", b"zTXt", b"iCCP", b"PLTE")
    ),
    "jpeg": Target(parsers.jpeg, _jpegs, (b"\xff\xc0", b"\xff\xc2", b"\xff\xda", b"\xff\xd9", b"\xff\xe1", b"Exif")),
    "grid": Target(parsers.grid, _grids, (b"\xff\xff\xff", b"\0\0\0"), 2048, share=0.2),
    "weights": Target(parsers.weights, _weights, (b"dtype", b"shape", b"data_offsets", b"F32", b"PK\5\6"), share=0.3),
    "scores": Target(parsers.scores, _scores, (b'"points"', b'"problems"', b"1e999", b"NaN", b"-Infinity", b"{}")),
    "claim": Target(
        parsers.claim, _claims, (b'"points"', b'"measures"', b'"findings"', b"1e999", b"NaN", b"{}", b"[]")
    ),
    "shell": Target(parsers.shell, _scripts, (b"<<EOF", b"$(", b"${", b"$((", b"eval", b"case", b"esac", b"`", b"[[")),
    "tags": Target(parsers.tags, _tags, (b" hair", b" eyes", b"blue", b"\t", b":"), 1000),
    "statistics": Target(parsers.statistics, _statistics, (b"PK\1\2", b"descr", b"fortran_order", b"shape"), share=0.5),
    "times": Target(
        parsers.times, _times, (b"student", b"attempt", b"submission", b"T24:00", b"+99:99", b"9999-12-31")
    ),
    "overrides": Target(
        parsers.overrides, _overrides, (b"[[override]]", b"points", b"add", b"measure", b"digest", b"excuse", b"nan")
    ),
    "entry": Target(parsers.entry, _entries, (b'"keys"', b'"report"', b"null", b"1e999", b"[]", b"{}", b'"error"')),
    "fingerprint": Target(
        parsers.fingerprint, _fingerprints, (b"PK\1\2", b"descr", b"shape", b"|O", b"../", b'"images"'), share=0.5
    ),
}


@cache
def seeds_of(name: str) -> tuple[bytes, ...]:
    """The seeds of a target, none longer than its inputs may be."""
    target = TARGETS[name]
    return tuple(seed[: target.longest] for seed in target.seeds())
