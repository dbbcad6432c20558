"""Converts in forks of one process that has imported TensorFlow, which takes longer than most conversions.

`python converter.py ADDRESS` serves until its standard input ends: what a `python -P bootstrap.py PACKAGE
convert.py` was started for runs in a fork, with that process's streams, folder, environment and arguments.
"""

import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback

LONGEST = 1 << 17  # bytes of a request


def new_socket():
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def request(address, arguments):
    """Ends this process as the fork ends that does its work."""
    order = {"folder": os.getcwd(), "environment": dict(os.environ), "arguments": arguments}
    with new_socket() as server:
        server.connect(address)
        socket.send_fds(server, [json.dumps(order).encode()], [0, 1, 2])
        code = int(server.recv(LONGEST))
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(code)


def serve(address):
    sys.modules.update(dict.fromkeys(("jax", "keras", "matplotlib", "pandas", "sklearn")))  # as bootstrap.py
    import tensorflow  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with new_socket() as server:
        server.bind(f"{address}.new")
        server.listen()
        os.rename(f"{address}.new", address)
        while sys.stdin not in select.select([server, sys.stdin], [], [])[0]:
            client, _ = server.accept()
            if os.fork() == 0:
                answer(client)
            client.close()


def answer(client):
    """Runs a request in one more fork, and answers with the exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, streams, _, _ = socket.recv_fds(client, LONGEST, 3)
    child = os.fork()
    if child == 0:
        run(streams, **json.loads(message))
    for stream in [0, 1, 2, *streams]:  # a reader sees the end of them when the fork ends
        os.close(stream)
    _, status = os.waitpid(child, 0)
    client.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def run(streams, folder, environment, arguments):
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin, sys.stdout, sys.stderr = map(os.fdopen, range(3), "rww")
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments
    code = 1
    try:
        runpy.run_path(arguments[0], run_name="__main__")
        code = 0
    except Exception:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
