"""Stands in for systemd: binds sockets, starts a command with them (sd_listen_fds(3)), and again when it has ended.

usage: activator.py NAME=HOST:PORT|NAME=/PATH … -- COMMAND [ARGUMENT …]; `{NAME}` in an argument becomes the address.
"""

import ctypes
import os
import signal
import socket
import sys

split = sys.argv.index("--")
sockets, addresses = [], {}
for spec in sys.argv[1:split]:
    name, _, at = spec.partition("=")
    if at.startswith("/"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(at)
        addresses[name] = at
    else:
        host, _, port = at.rpartition(":")
        listener = socket.socket()
        listener.bind((host, int(port)))
        addresses[name] = "%s:%d" % listener.getsockname()
    listener.listen(64)
    sockets.append((name, listener))

command = sys.argv[split + 1 :]
for name, address in addresses.items():
    command = [argument.replace("{%s}" % name, address) for argument in command]


def start():
    child = os.fork()
    if child:
        return child
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with us.
    # Out of the way first, as one may have another's place.
    high = [os.dup2(listener.fileno(), 100 + place) for place, (_, listener) in enumerate(sockets)]
    for place, descriptor in enumerate(high):
        os.dup2(descriptor, 3 + place, inheritable=True)
        os.close(descriptor)
    os.environ.update(
        LISTEN_PID=str(os.getpid()),
        LISTEN_FDS=str(len(sockets)),
        LISTEN_FDNAMES=":".join(name for name, _ in sockets),
    )
    os.execvp(command[0], command)


child = start()
signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
while os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
    child = start()
