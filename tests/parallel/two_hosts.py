"""Two hosts of our own making: network namespaces on this computer, joined by a virtual link.

Nothing of them has a name that outlives them. A host is a network and process namespace that one
`cat` keeps open; it ends when its standard input closes, so also when this process is killed, and
then the kernel ends every process of the host and takes the link away. The addresses exist inside
the namespaces only.
"""

import shutil
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType

import psutil

NETWORK = "10.213.77"  # private, and in no routing table but the two hosts' own
INTERFACES = ("hosta", "hostb")
FRAME = "9000"  # bytes of a packet: headers then take less than 1% of the rate
QUEUE = "8mb"  # longer than TCP's window, so that the shaper delays and never drops
BURST = 0.005  # seconds of the rate that may pass at once, so that a late timer loses nothing


class NoHosts(Exception):  # noqa: N818 - a reason to skip, not an error
    """This computer cannot make two hosts; the message says why."""


@dataclass(frozen=True)
class Host:
    """One host: the process that keeps it open, its interface and its address."""

    pid: int
    interface: str
    address: str

    def command(self, *words: str) -> list[str]:
        """Return the command that runs `words` on this host, to end when the host does."""
        return ["nsenter", "--target", str(self.pid), "--net", "--pid", "--", *words]

    def set_up(self, *words: str) -> None:
        """Run a short command that sets up this host's network."""
        command = ["nsenter", "--target", str(self.pid), "--net", "--", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
        if done.returncode:
            raise NoHosts(f"{' '.join(words)}: {done.stderr.strip()}")

    def limit(self, bits_per_second: float) -> None:
        """Shape what this host sends to a rate, Ethernet and TCP/IP headers included."""
        self.set_up(
            *("tc", "qdisc", "replace", "dev", self.interface, "root", "tbf"),
            *("rate", f"{bits_per_second:.0f}bit", "limit", QUEUE),
            *("burst", f"{max(BURST * bits_per_second / 8, 10_000):.0f}"),
        )


class TwoHosts:
    """A context that holds two hosts and the link between them."""

    def __enter__(self) -> tuple[Host, Host]:
        for tool in ("ip", "tc", "nsenter", "unshare"):
            if shutil.which(tool) is None:
                raise NoHosts(f"{tool} is not installed (packages iproute2 and util-linux)")
        with ExitStack() as stack:
            first, second = (
                Host(self._keep_open(stack), interface, f"{NETWORK}.{number}")
                for number, interface in enumerate(INTERFACES, start=1)
            )
            peer = ("peer", "name", second.interface, "netns", str(second.pid))
            first.set_up("ip", "link", "add", first.interface, "type", "veth", *peer)
            for host in (first, second):
                host.set_up("ip", "address", "add", f"{host.address}/30", "dev", host.interface)
                host.set_up("ip", "link", "set", host.interface, "mtu", FRAME)
                for interface in ("lo", host.interface):
                    host.set_up("ip", "link", "set", interface, "up")
            self._stack = stack.pop_all()
        return first, second

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @staticmethod
    def _keep_open(stack: ExitStack) -> int:
        """Make the namespaces of one host; return the process that keeps them open."""
        script = "echo open; exec cat"
        command = ["unshare", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", script]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        unshare = stack.enter_context(subprocess.Popen(command, text=True, **pipes))
        stack.callback(unshare.stdin.close)  # before the context waits: callbacks run backwards
        if unshare.stdout.readline() != "open\n":
            raise NoHosts(f"{unshare.stderr.read().strip()} (making hosts needs root)")
        (cat,) = psutil.Process(unshare.pid).children()
        return cat.pid
