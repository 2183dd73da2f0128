"""Ways to points without the right answer. Each must gain nothing.

`code` stands in the cell for the first answer of exercise 1; the functions asked for are wrong or
missing, unless a comment says otherwise.
"""

# Tampering with what compares, counts, encodes or runs. The functions stay wrong.
TAMPERING = {
    "an object whose comparisons lie": """
class Lie:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return False
    __le__ = __gt__ = __ge__ = __eq__
    def __float__(self): return 1.0
    def __array__(self, dtype=None, copy=None): return np.array(1.0)
    def __sub__(self, other): return 0.0
    __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __sub__
    def __hash__(self): return hash(1.0)

def speedup(n, s): return Lie()
""",
    "a number whose comparisons lie": """
class Lie(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    def __abs__(self): return 0.0
    __rsub__ = __sub__
    __hash__ = float.__hash__

def speedup(n, s): return Lie(3.0)
""",
    "an array whose comparisons lie": """
class Lie(np.ndarray):
    def __eq__(self, other): return np.ones(np.shape(other), bool)
    def __array_function__(self, function, types, args, kwargs): return True
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs): return np.True_

def speedup(n, s): return np.ones(np.broadcast_shapes(np.shape(n), np.shape(s))).view(Lie)
""",
    "a transformer that deletes assertions and checks": """
import ast

class Delete(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
    def visit_Compare(self, node): return ast.copy_location(ast.Constant(True), node)

get_ipython().ast_transformers.append(Delete())
def speedup(n, s): return 1
""",
    "a transformer that answers for the probe": """
def forge(lines):
    if "amdahl_lab.grading.probe" not in "".join(lines):
        return lines
    return [
        "import json as _j, re as _r\\n",
        "_text = %r\\n" % "".join(lines),
        "_q = _j.loads(eval(_r.search(r'answer\\\\((.*)\\\\)', _text, _r.S).group(1)))\\n",
        "_a = {'answer': [{'value': True}] * len(_q.get('cases', [0]))}\\n",
        "_m = {'token': _q['token'], 'number': 1, 'body': _a}\\n",
        "get_ipython().kernel.raw_input(_j.dumps(_m))\\n",
    ]

get_ipython().input_transformers_post.append(forge)
def speedup(n, s): return 1
""",
    "a transformer that dumps every cell and question": """
seen = []
get_ipython().input_transformers_post.append(lambda lines: seen.append("".join(lines)) or lines)

def speedup(n, s):
    # Had a question held its answers, here they would be.
    import json, re
    for text in seen:
        for name in ("expected", "truth", "answer_key", "points"):
            found = re.search(name + r".{0,4}?([0-9.]+)", text)
            if found and "probe" in text:
                return float(found.group(1))
    return 1
""",
    "a probe, a wire and a json of one's own": """
import json, types
from amdahl_lab.grading import probe, wire
wire.plain = lambda value, depth=0: True
probe.call = lambda namespace, asker, function, cases: [{"value": True, "points": 9}] * len(cases)
dumps = json.dumps
def forged(message):
    return dumps({**message, "body": {"answer": [{"value": "right"}] * 7, "points": 100}})
probe.json = types.SimpleNamespace(loads=json.loads, dumps=forged)
def speedup(n, s): return 1
""",
    "patched builtins and numpy": """
import builtins, math
builtins.abs = lambda x: 0
builtins.round = lambda *a: 0
float_of, builtins.float = float, type("float", (float,), {"__eq__": lambda *a: True})
np.allclose = np.isclose = np.array_equal = lambda *a, **k: True
math.isclose = lambda *a, **k: True
def speedup(n, s): return 1
""",
    "printed scores, forged results and markup": """
from IPython.display import HTML, Javascript, display
print("2 of 2  speedup of numbers\\n2")
display({"text/plain": "20", "application/vnd.amdahl-lab.marks+json":
         {"speedup_numbers": {"points": 20, "hint": ""}}}, raw=True)
display(HTML("<script>document.title = 'hacked'</script>"), Javascript("alert(1)"))
kernel = get_ipython().kernel
for text in ("20", "2.0"):
    kernel.session.send(kernel.iopub_socket, "execute_result",
        {"data": {"text/plain": text}, "metadata": {}, "execution_count": 1},
        parent=kernel.get_parent(), ident=b"execute_result")
def speedup(n, s):
    print("2"); return 1
""",
    "two answers to one question": """
import gc
def speedup(n, s):
    from amdahl_lab.grading.probe import Asker
    asker = next(one for one in gc.get_objects() if isinstance(one, Asker))
    for value in (1.0, n, n / (1 + s)):
        asker.send({"answer": [{"value": value}] * 7})
    return 1
""",
    "an answer that is no JSON, too deep, too large or no number": """
def speedup(n, s):
    kernel = get_ipython().kernel
    import json
    texts = ["[" * 100_000, '{"answer": ' * 50_000, "x" * 5_000_000, '{"answer": NaN}']
    for text in [json.dumps({"token": 1, "number": 1, "body": {}}), *texts]:
        kernel.raw_input(text)
    return float("nan")
""",
    "threads that answer late": """
import gc, threading, time
from amdahl_lab.grading.probe import Asker

def haunt():
    while True:
        for one in gc.get_objects():
            if type(one) is Asker:
                try: one.send({"answer": [{"value": 1.0}] * 7})
                except Exception: pass
        time.sleep(0.01)

def speedup(n, s):
    threading.Thread(target=haunt, daemon=True).start()
    time.sleep(0.1)
    return 1
""",
    "an answer that is lists in lists": """
from amdahl_lab.grading import probe
import json, types
def dumps(message):
    token = message["token"]
    deep = "[" * 900 + "1" + "]" * 900
    answers = ",".join(['{"value": %s}' % deep] * 7)
    return '{"token": "%s", "number": 1, "body": {"answer": [%s]}}' % (token, answers)
def speedup(n, s):
    probe.json = types.SimpleNamespace(loads=json.loads, dumps=dumps)
    return 1
""",
    "a search for the answers on every frame": """
import sys
def speedup(n, s):
    frame, found = sys._getframe(), []
    while frame:
        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
            if type(value).__name__ in ("FunctionCheck", "Assignment", "Item"):
                return value.truth(n, s)
        frame = frame.f_back
    return 1
""",
}

# Tampering while a function is asked for. Each costs the items of that function and no others.
ASKED = {
    "requests without end and nobody who reads the replies": """
def speedup(n, s):
    kernel = get_ipython().kernel
    for _ in range(200_000):
        kernel.session.send(
            kernel.stdin_socket, "input_request", {"prompt": "x", "password": False},
            parent=kernel.get_parent("shell"), ident=kernel._parent_ident["shell"])
    return 1
""",
    "an answer of many megabytes": "def speedup(n, s): return [1.0] * 3_000_000",
    "a pickle in place of an answer": """
from amdahl_lab.grading import probe
import base64, json, pickle, types
class Bomb:
    def __reduce__(self):
        import os
        return os.system, ("touch /tmp/grader-was-here",)
bomb = pickle.dumps(Bomb())
def speedup(n, s):
    kernel = get_ipython().kernel
    for socket in (kernel.iopub_socket, kernel.stdin_socket):
        kernel.session.send(socket, "display_data", {"data": {"text/plain": "x"}},
                            parent=kernel.get_parent("shell"), buffers=[bomb])
    kernel.raw_input(bomb.decode("latin-1"))
    return base64.b64encode(bomb).decode()
""",
    "a death when asked": "def speedup(n, s):\n    import os\n    os._exit(0)",
    "no end when asked": "def speedup(n, s):\n    while True: pass",
    "processes without end when asked": "def speedup(n, s):\n    import os\n    while True: os.fork()",
    "memory of the interpreter overwritten": """
import ctypes
def speedup(n, s):
    ctypes.memset(id(True), 0, 8 * 1024)
    return 1
""",
    "a clock of one's own": """
import time, datetime
time.time = time.perf_counter = time.monotonic = lambda: 0.0
time.sleep = lambda seconds: None
def speedup(n, s): return 1
""",
    "torch of one's own": """
import torch
torch.allclose = torch.equal = lambda *a, **k: True
torch.Tensor.__eq__ = lambda self, other: True
def speedup(n, s): return torch.ones(())
""",
}

# Calls of the grader's hidden laws past the probe; none may make the grader stumble.
SERVICE = """
import gc
from amdahl_lab.grading.probe import Asker
odd = [
    {"callback": "99", "arguments": [1.0, 0.5]}, {"callback": "-1", "arguments": [[], {}]},
    {"callback": 1e300, "arguments": [1.0, 0.5]}, {"callback": "0", "arguments": 7},
    {"callback": "0", "arguments": [1.0], "named": [1]}, {"callback": "0"}, [1], "answer", None,
    {"callback": "0", "arguments": [[[1.0] * 100] * 100, 0.5]}, {"value": True},
]
def passes(law):
    asker = next(one for one in gc.get_objects() if type(one) is Asker)
    for body in odd:
        asker._number += 1
        message = {"token": asker._token, "number": asker._number, "body": body}
        import json
        asker._kernel.raw_input(json.dumps(message))
    return True
"""

# A run on ranks that is none. `average_gradients` does nothing right.
TRAINING = {
    "the data of all ranks read from the probe's frames": """
import sys, numpy as np, torch
def average_gradients(model, samples):
    frame = sys._getframe(1).f_locals
    from amdahl_lab.grading.rank_probe import drawn
    scenario = frame["scenario"]
    _, _, x, y = drawn(scenario["seed"], scenario["layers"], sum(scenario["shards"]))
    model.zero_grad()
    torch.nn.functional.mse_loss(model(torch.tensor(x)), torch.tensor(y)).backward()
""",
    "one process that says it was three": """
import torch.distributed as dist
from amdahl_lab.grading import rank_probe
def alone(function, *, workers, **scenario):
    shards = scenario["shards"]
    dist.get_rank = lambda *a: 0
    right = rank_probe.train(lambda model, samples: None, {**scenario, "shards": [sum(shards)]})
    return [right] * workers
rank_probe.run = alone
dist.get_world_size = lambda *a: 3
def average_gradients(model, samples): pass
""",
    "counters that were written to": """
import builtins, sys, torch
def average_gradients(model, samples):
    for path in ("/proc/net/dev", "/proc/self/net/dev", "/proc/1/net/dev"):
        try: open(path, "w").write("    lo: 999999999 999 0 0 0 0 0 0 999999999 999")
        except OSError: pass
    frame = sys._getframe(1).f_locals
    from amdahl_lab.grading.rank_probe import drawn
    scenario = frame["scenario"]
    _, _, x, y = drawn(scenario["seed"], scenario["layers"], sum(scenario["shards"]))
    model.zero_grad()
    torch.nn.functional.mse_loss(model(torch.tensor(x)), torch.tensor(y)).backward()
""",
}

_REPORT = """
from amdahl_lab.statistics import ratio_interval
def reported(one, two):
    r = ratio_interval(one, two)
    ends = (2 / r.estimate - 1, 2 / r.high - 1, 2 / r.low - 1)
    return {"seconds": {1: one, 2: two}, "serial_fraction": ends}
"""
# Reports of runs that never took place; each with a part of the hint that it gets.
REPORTS = {
    "times that were made up": (
        _REPORT
        + "one = [0.01, 0.011, 0.012, 0.0105, 0.0115]\ntwo = [0.007, 0.008, 0.0075, 0.0072, 0.0081]\n"
        + "report = reported(one, two)\nimport time; time.sleep(1)",
        "no training on two ranks",
    ),
    "sleep instead of work": (
        _REPORT
        + """
import time
def block(workers):
    start = time.perf_counter()
    time.sleep(0.2 / workers)
    return (time.perf_counter() - start) / 10
times = {n: [block(n) for _ in range(6)] for n in (1, 2)}
report = reported(times[1], times[2])
""",
        "no training on two ranks",
    ),
    "more time than there was": (
        _REPORT + "report = reported([5.0, 5.1, 5.2, 5.3, 5.4], [3.0, 3.1, 3.2, 3.3, 3.4])",
        "more than the cell took",
    ),
    "one time many times": (
        _REPORT + "report = reported([0.02] * 6, [0.01] * 6)\nimport time; time.sleep(2)",
        "not times that a clock gave",
    ),
    "times below zero": (
        "report = {'seconds': {1: [-1, -2, -3, -4, -5], 2: [-.1, -.2, -.3, -.4, -.5]},"
        " 'serial_fraction': (0.1, 0.0, 0.2)}",
        "not times that a clock gave",
    ),
}

# Looking for what must not be there. Each sets `found` to what it got hold of.
LOOKING = {
    "solutions, hidden checks, gradebook, other submissions": """
import os
found = [
    os.path.join(folder, name)
    for folder, _, names in os.walk("/", onerror=None)
    if not folder.startswith(("/proc", "/usr", "/sys")) and "site-packages" not in folder
    for name in names
    if name in ("gradebook.db", "grading_seed", "exercises.ipynb", "nbgrader_config.py")
    or "hidden_checks" in folder
]
found += [name for name in os.listdir("/tmp") if name.startswith("pytest")]
for path in ("..", "../..", "/submission/..", COURSE, COURSE + "/solutions", COURSE + "/tests"):
    found += [f"{path}/{n}" for n in (os.listdir(path) if os.path.isdir(path) else ())
              if n in ("solutions", "submitted", "tests", ".git", "exercises")]
""",
    "the laws of the package": """
import glob, importlib.util, sys
found = []
for folder in sys.path:
    for path in glob.glob(folder + "/amdahl_lab/**", recursive=True):
        if "laws" in path and not path.endswith((".js", "laws.py", "laws.cpython-311.pyc")):
            found.append(path)
try:
    from amdahl_lab.laws import amdahl_speedup
    found.append(amdahl_speedup)
except ImportError:
    pass
try:
    import amdahl_lab
    found.append(amdahl_lab.laws.karp_flatt)
except ImportError:
    pass
for name in ("items", "marking", "serial_reference", "session"):
    if importlib.util.find_spec("amdahl_lab.grading." + name):
        found.append(name)
""",
    "the grader's environment": """
import glob, os
found = [text for text in map(str, os.environ.items()) if "secret-of-the-grader" in text]
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/task/*/environ"):
    try:
        if b"secret-of-the-grader" in open(path, "rb").read():
            found.append(path)
    except OSError:
        pass
found += [p for p in glob.glob("/root/*") + glob.glob("/home/*/*") if "pyenv" not in p]
""",
    "processes outside": """
import glob, os, signal
found = [
    path for path in glob.glob("/proc/[0-9]*")
    if b"pytest\\0tests" in open(path + "/cmdline", "rb").read() or path == f"/proc/{GRADER}"
]
try:
    os.kill(GRADER, 0)
    found.append(GRADER)
except OSError:
    pass
""",
    "the network": """
import socket
found = []
for address in (("1.1.1.1", 53), ("127.0.0.1", PORT), ("8.8.8.8", 443)):
    try:
        socket.create_connection(address, timeout=2).close()
        found.append(address)
    except OSError:
        pass
try:
    found += socket.getaddrinfo("example.org", 80)
except OSError:
    pass
found += [name for _, name in socket.if_nameindex() if name != "lo"]
""",
    "places to write to": """
import os, sys
found = []
for path in ("/", "/usr", "/etc", "/submission", "/dev", sys.prefix, sys.path[-1], PACKAGE):
    try:
        open(os.path.join(path, "mine"), "w").close()
        found.append(path)
    except OSError:
        pass
""",
    "the memory and registers of other processes": """
import ctypes, os
found, libc = [], ctypes.CDLL(None, use_errno=True)
for process in (1, os.getppid()):
    if libc.ptrace(16, process, None, None) == 0:  # attach
        found.append(f"traced {process}")
    try:
        with open(f"/proc/{process}/mem", "rb") as memory:
            memory.seek(0x1000)
            found.append(memory.read(1))
    except OSError:
        pass
""",
    "memory that no process is seen to hold": """
import ctypes, mmap, os
found, libc = [], ctypes.CDLL(None, use_errno=True)
for action in (lambda: os.memfd_create("x"), lambda: mmap.mmap(-1, 1 << 20)):
    try:
        found.append(str(action()))
    except OSError:
        pass
found += ["segment"] if libc.shmget(0, 1 << 20, 0o1600) >= 0 else []
zero = os.open("/dev/zero", os.O_RDWR)
libc.mmap.restype = ctypes.c_void_p
if libc.mmap(None, 1 << 20, 3, 1, zero, 0) not in (None, ctypes.c_void_p(-1).value):
    found.append("shared zeros")
""",
    "what namespaces leave open": """
import ctypes, platform, socket
found, libc = [], ctypes.CDLL(None, use_errno=True)
add_key = {"x86_64": 248, "aarch64": 217}[platform.machine()]
if libc.syscall(add_key, b"user", b"note", b"for the next student", 20, -4) >= 0:
    found.append("keyring")
for family in (40, 38, 17, 44):  # the host of a virtual machine, kernel crypto, raw packets, xdp
    try:
        found.append(str(socket.socket(family, socket.SOCK_STREAM)))
    except OSError as error:
        if family == 40 and error.errno != 1:
            found.append(str(error))
""",
    "other users, namespaces and privileges": """
import ctypes, os, subprocess
found = []
device = (os.mknod, "/tmp/x", 0o60666, 2049)
for action, *arguments in ((os.setuid, 0), (os.chroot, "/tmp"), device):
    try:
        action(*arguments)
        found.append("privilege")
    except OSError:
        pass
if subprocess.run(["unshare", "-Ur", "true"], capture_output=True).returncode == 0:
    found.append("a namespace")
if subprocess.run(["mount", "-t", "tmpfs", "none", "/tmp"], capture_output=True).returncode == 0:
    found.append("a mount")
""",
}

# Using up what there is. Each stands in a cell of its own; what comes later must still be marked.
EXHAUSTING = {
    "a fork bomb": """
import os
while True:
    os.fork()
""",
    "a fork bomb that leaves its parent": """
import os
while True:
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
""",
    "a loop without end": "while True: pass",
    "a loop that cannot be interrupted": """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True: pass
""",
    "output without end": "while True: print('x' * 100_000)",
    "messages without end": """
kernel = get_ipython().kernel
while True:
    kernel.session.send(kernel.iopub_socket, "display_data",
                        {"data": {"text/plain": "x" * 3_000_000}, "metadata": {}})
""",
    "memory without end": "hoard = []\nwhile True: hoard.append(bytearray(b'x' * 20_000_000))",
    "threads without end": """
import threading, time
while True:
    threading.Thread(target=time.sleep, args=(60,)).start()
""",
    "its own death": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "the death of all": "import os, signal; os.kill(-1, signal.SIGKILL)",
    "an exit": "import os; os._exit(0)",
    "the connection's folder filled": """
import itertools
for number in itertools.count():
    open(f"/tmp/c/{number}", "wb").write(b"x" * 10_000_000)
""",
    "files that are open and nowhere to be seen": """
import os
hoard = []
while True:
    hoard.append(open("/tmp/c/z", "wb"))
    os.unlink("/tmp/c/z")
    hoard[-1].write(b"x" * 50_000_000)
    hoard[-1].flush()
""",
    "shared memory without end": """
import mmap, os
hoard = []
while True:
    hoard.append(mmap.mmap(-1, 100_000_000))
    hoard[-1].write(b"x" * 100_000_000)
""",
    "the connection's sockets gone": """
import os
for name in os.listdir("/tmp/c"):
    os.unlink("/tmp/c/" + name)
os.symlink("/run", "/tmp/c/k-1")
os._exit(0)
""",
    "a million names of files": """
for number in range(1_000_000):
    open(f"/tmp/work/{number}", "w").close()
""",
}

# One message of endless parts, written past the library on the socket that outputs go through.
ENDLESS_MESSAGE = """
import os, select, socket, stat, struct
frame = struct.pack(">BQ", 3, 4_000_000) + b"x" * 4_000_000
for name in os.listdir("/proc/self/fd"):
    try:
        if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
            one = socket.socket(fileno=os.dup(int(name)))
            if one.family == socket.AF_UNIX and one.getsockname() == "/tmp/c/k-2":
                one.getpeername()
                break
    except OSError:
        pass
while True:
    left = memoryview(frame)
    while left:
        select.select([], [one], [])
        try:
            left = left[one.send(left):]
        except BlockingIOError:
            pass
"""

# Each kind of cheat that the grader is known to meet, and where it is tried.
KINDS = {
    "objects whose comparisons lie": ["an object whose comparisons lie"],
    "numbers and arrays whose comparisons lie": [
        "a number whose comparisons lie",
        "an array whose comparisons lie",
    ],
    "a transformer that deletes assertions": ["a transformer that deletes assertions and checks"],
    "input transformers that dump cells": [
        "a transformer that answers for the probe",
        "a transformer that dumps every cell and question",
    ],
    "patched builtins, numpy, torch, json and time": [
        "patched builtins and numpy",
        "torch of one's own",
        "a probe, a wire and a json of one's own",
        "a clock of one's own",
    ],
    "edited, deleted and duplicated check cells": ["test_released_cells_are_put_back"],
    "printed scores, forged outputs and metadata": [
        "printed scores, forged results and markup",
        "test_outputs_and_odd_metadata_go",
    ],
    "reading parent folders": ["solutions, hidden checks, gradebook, other submissions"],
    "reading the environment": ["the grader's environment"],
    "reading /proc": ["processes outside", "the memory and registers of other processes"],
    "answers keyed to the visible inputs": [
        "wrong: right for the numbers of the visible checks only"
    ],
    "reaching for the network": ["the network", "what namespaces leave open"],
    "leaving a process behind": ["test_nothing_is_left_behind"],
    "writing to shared memory": [
        "test_disk_is_bounded",
        "memory that no process is seen to hold",
        "shared memory without end",
    ],
    "a hand-written notebook that was never run": [
        "test_the_gradebook_has_the_points_of_the_hidden_checks"
    ],
    "sleeping to fake a speedup": ["sleep instead of work"],
    "faking the counters": [
        "counters that were written to",
        "test_counts_that_were_made_up_gain_nothing",
    ],
}
