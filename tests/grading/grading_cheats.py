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
import glob, os
folder = os.path.dirname(glob.glob("/tmp/lab-*/c/kernel.json")[0])
number = 0
while True:
    number += 1
    open(os.path.join(folder, str(number)), "wb").write(b"x" * 10_000_000)
""",
}
