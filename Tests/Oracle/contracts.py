"""The messages of Protos, as Google's implementation makes them of the same files."""

import pathlib
import tempfile

import grpc_tools
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc


def _pool():
    protos = pathlib.Path(__file__).resolve().parents[2] / "Protos"
    sources = sorted(str(path.relative_to(protos)) for path in protos.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder) / "descriptors"
        well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
        arguments = ["protoc", f"-I{protos}", f"-I{well_known}", "--include_imports", f"--descriptor_set_out={target}"]
        if protoc.main(arguments + sources) != 0:
            raise SystemExit("grpcio-tools can't compile the protos")
        files = descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


_POOL = _pool()


def message_class(name):
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(name))
