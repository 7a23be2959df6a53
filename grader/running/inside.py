"""The first program inside of the sandbox, before the script: run as text by `python -I -S -c`, standard library only.

It copies the repository into the sandbox's own folder, hands descriptors of the file systems to the grader (which
outlive the sandbox), gives up what root may do, sets limits and becomes the script. Nothing of a student has run
before it does; it opens no file of the repository through a link.
"""

import array
import json
import os
import resource
import socket
import stat
import sys

CHUNK = 1 << 20
DEEPEST = 100  # folders in each other
TOLD = json.loads(sys.argv[1]) if __name__ == "__main__" else {}


def own(fd: int) -> None:
    """Gives a copied file or folder to the user that the script runs as."""
    if TOLD["uid"]:
        os.fchown(fd, TOLD["uid"], TOLD["uid"])


def copy(source: int, target: int, skip: set[str], inside: str = "") -> None:
    """Copies folders, regular files and links (as links) from one directory descriptor into another."""
    if inside.count("/") > DEEPEST:
        raise RecursionError
    for name in os.listdir(source):
        path = inside + name
        status = os.stat(name, dir_fd=source, follow_symlinks=False)
        if path in skip:
            continue
        if stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        elif stat.S_ISDIR(status.st_mode):
            os.mkdir(name, dir_fd=target)
            below = [os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd) for fd in (source, target)]
            copy(below[0], below[1], skip, path + "/")
            own(below[1])
            for fd in below:
                os.close(fd)
        elif stat.S_ISREG(status.st_mode):
            copy_file(name, source, target, 0o666 | (status.st_mode & 0o111 and 0o111))


def copy_file(name: str, source: int, target: int, mode: int) -> None:
    """Copies one regular file."""
    there = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=source)
    here = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode, dir_fd=target)
    while part := os.read(there, CHUNK):
        while part:
            part = part[os.write(here, part) :]
    own(here)
    os.close(there)
    os.close(here)


def main() -> None:
    """Prepares and becomes the script; ends with 125 where preparing fails, which the channel tells first."""
    told = TOLD
    os.umask(0)
    channel = socket.socket(fileno=told["channel"])
    try:
        folders = [os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in told["places"]]
        repository = os.open(told["repository"], os.O_RDONLY | os.O_DIRECTORY)
        copy(repository, folders[told["copy_into"]], set(told["skip"]))
        for path in told["make"]:
            os.makedirs(path, exist_ok=True)  # noqa: PTH103  (pathlib would double the time to start)
        if told["uid"]:
            os.setgroups([])
            os.setresgid(told["uid"], told["uid"], told["uid"])
            os.setresuid(told["uid"], told["uid"], told["uid"])
        for name, value in told["rlimits"].items():
            number = getattr(resource, name)
            hard = resource.getrlimit(number)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(number, (value, value))
        os.umask(0o022)
        os.chdir(told["work"])
    except RecursionError:
        channel.sendall(f"more than {DEEPEST} folders lie in each other: too deep".encode())
        os._exit(125)
    except OSError as error:
        channel.sendall(f"{error.strerror}: {error.filename or 'the copy of the repository'}".encode()[:500])
        os._exit(125)
    rights = array.array("i", folders)
    channel.sendmsg([b"ready"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights.tobytes())])
    os.closerange(3, 65536)
    os.execv(told["command"][0], told["command"])


if __name__ == "__main__":
    main()
