"""The generated code of grpc.testing, made from the protos by grpcio-tools when a program starts: for grpcio or grpclib."""

import argparse
import atexit
import importlib
import pathlib
import shutil
import sys
import tempfile

ECHO_INITIAL = "x-grpc-test-echo-initial"
ECHO_TRAILING = "x-grpc-test-echo-trailing-bin"
# Bytes of metadata that either side takes; gRPC's own default of 8 KiB counts 32 bytes for every pair as well.
METADATA_LIMITS = [("grpc.max_metadata_size", 64 * 1024), ("grpc.absolute_max_metadata_size", 128 * 1024)]


def generate(folder, plugin):
    """Writes the generated modules into `folder`; those of the services are the plugin's."""
    from grpc_tools import protoc

    protos = pathlib.Path(__file__).resolve().parents[2] / "Protos"
    sources = [f"grpc/testing/{name}.proto" for name in ("empty", "messages", "test")]
    # Packages named `grpc` are taken, by grpcio itself; so the files are compiled as if they lay in `interop`.
    renamed = folder / "protos" / "interop"
    renamed.mkdir(parents=True)
    for source in sources:
        text = (protos / source).read_text(encoding="utf-8").replace('import "grpc/testing/', 'import "interop/')
        (renamed / pathlib.Path(source).name).write_text(text, encoding="utf-8")
    names = [f"interop/{pathlib.Path(source).name}" for source in sources]
    arguments = ["protoc", f"-I{renamed.parent}", f"--python_out={folder}", f"--{plugin}_out={folder}", *names]
    if plugin == "grpclib_python":
        generator = pathlib.Path(sys.executable).parent / "protoc-gen-grpclib_python"
        arguments.insert(1, f"--plugin=protoc-gen-grpclib_python={generator}")
    if protoc.main(arguments) != 0:
        sys.exit("grpcio-tools can't compile the protos of grpc.testing")


def load(plugin="grpc_python", services="test_pb2_grpc"):
    """The modules of empty, messages, and the services: for grpcio, or as the plugin makes them."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="interop-stubs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    generate(folder, plugin)
    sys.path.insert(0, str(folder))
    return [importlib.import_module(f"interop.{name}") for name in ("empty_pb2", "messages_pb2", services)]


def arguments(description):
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
