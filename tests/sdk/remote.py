"""Compares what the tool would send to the remote builder with what the SDK would send.

Usage: remote.py CODE OUT, in the working directory of the project. OUT holds a folder for each image, as
`image build --builder remote --dry-run -o OUT` writes it. Prints each difference, and how many images were alike.
"""

import asyncio
import importlib.util
import sys
import tarfile
from pathlib import Path

import flyte
from flyte._internal.imagebuild import remote_builder
from flyteidl2.imagebuilder import definition_pb2


def sent(image, kept):
    """The bytes of the specification, and the archive if there is one, that the SDK would upload."""
    uploads = []

    class Upload:
        async def aio(self, path):
            copy = kept / f"{len(list(kept.iterdir()))}-{path.name}"
            copy.write_bytes(path.read_bytes())
            uploads.append(copy)
            return "digest", str(copy)

    remote_builder.remote.upload_file = Upload()
    asyncio.run(remote_builder._validate_configuration(image))
    return uploads[0].read_bytes(), uploads[1] if len(uploads) > 1 else None


def members(path):
    """What an archive holds: the kind, the content and the attributes of each member."""
    if path is None or not path.exists():
        return {}
    found = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name.rstrip("/")
            if member.isdir():
                found[name] = "folder"
                continue
            owner = (member.uid, member.gid, member.uname, member.gname)
            content = archive.extractfile(member).read()
            found[name] = (member.isfile(), oct(member.mode & 0o7777), member.mtime, owner, content)
    return found


def main(code, out, kept):
    flyte.init(root_dir=Path.cwd())
    spec = importlib.util.spec_from_file_location("code", code)
    module = importlib.util.module_from_spec(spec)
    sys.modules["code"] = module
    spec.loader.exec_module(module)
    alike = 0
    differences = []
    for variable, image in vars(module).items():
        if not isinstance(image, flyte.Image) or not image._is_cloned:
            continue
        folder = out / image.uri.rsplit("/", 1)[-1].replace(":", "-")
        before = len(differences)
        message, archive = sent(image, kept)
        theirs = definition_pb2.ImageSpec.FromString(message)
        ours = definition_pb2.ImageSpec.FromString((folder / "spec.pb").read_bytes())
        if ours != theirs:
            differences.append(f"{variable}: the specification\n--- SDK\n{theirs}\n--- tool\n{ours}")
        ours, theirs = members(folder / "context.tar.gz"), members(archive)
        for name in sorted(ours.keys() | theirs.keys()):
            if ours.get(name) != theirs.get(name):
                differences.append(f"{variable}: {name}: SDK {theirs.get(name)!r}, tool {ours.get(name)!r}")
        alike += len(differences) == before
    print("\n".join(differences))
    print(f"{alike} alike")
    return bool(differences)


if __name__ == "__main__":
    kept = Path(sys.argv[3])
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), kept))
