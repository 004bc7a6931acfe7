# SPDX-License-Identifier: Apache-2.0
"""One vault, one daemon and the command line, in a directory of their own."""

import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import time

from agent import Agent

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILDDIR = pathlib.Path(os.environ.get("BUILDDIR", ROOT / "build")).resolve()
VARIANT = os.environ.get("AV_VARIANT", "release")
BIN = BUILDDIR / VARIANT / "bin"
SANITIZED = VARIANT == "asan"
SECONDS = 60  # how long anything may take before the test calls it stuck
ROLES = {"aivault-keeper": "keeper", "aivault-policy": "judge", "aivault-broker": "broker"}
SANITIZER_SAID = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "UndefinedBehavior")
# What no test does to a process itself: SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS.
CRASHES = tuple(f"was ended by signal {n}" + tail for n in (4, 6, 7, 8, 11, 31) for tail in (";", "\n", "."))


def wait_for(condition, what, seconds=SECONDS):
    """Polls `condition` until it is true; what it returned."""
    end = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        assert time.monotonic() < end, f"waited {seconds} s in vain for: {what}"
        time.sleep(0.01)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Result:
    def __init__(self, args, code, out, err):
        self.args, self.code, self.out, self.err = args, code, out, err

    @property
    def text(self):
        return self.out.decode("utf-8", "replace")

    @property
    def errors(self):
        return self.err.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.out)

    def ok(self):
        assert self.code == 0, f"{self}"
        return self

    def failed(self, code=1):
        assert self.code == code, f"{self}"
        return self

    def __repr__(self):
        return f"aivault {' '.join(map(str, self.args))}: exit {self.code}\n{self.text}\n{self.errors}"


class World:
    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="av.", dir=os.environ.get("AV_NET_DIR", "/tmp")))
        self.home = self.dir / "home"
        self.home.mkdir(mode=0o700)
        self.root = self.dir / "vault"
        self.socket = self.root / "run" / "aivaultd.sock"
        self.operator_socket = self.root / "run" / "operator.sock"
        self.log_path = self.dir / "daemon.log"
        self.daemon = None
        self.extra_env = {}
        self.mounted = False
        self.expect_clean_stop = True
        self.under = []  # the command that the daemon is started by, which becomes it
        self.log_is_whole = True  # a test that damages the vault's log says so here
        self.seen = []  # everything the command line printed
        self.secrets = []

    # ---- processes ------------------------------------------------------------------------------

    def env(self, **more):
        env = {
            "HOME": str(self.home),
            "AIVAULT_DIR": str(self.root),
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if SANITIZED and name in os.environ:
                env[name] = os.environ[name]
        env.update(self.extra_env)
        env.update({k: v for k, v in more.items() if v is not None})
        for name in [k for k, v in more.items() if v is None]:
            env.pop(name, None)
        return env

    def spawn_daemon(self, *args, env=None):
        """Starts aivaultd; the process and the line that it wrote on its ready descriptor."""
        ready, theirs = os.pipe()
        with open(self.log_path, "ab") as log:
            process = subprocess.Popen(
                [*self.under, BIN / "aivaultd", "--ready-fd", str(theirs), *args],
                env=env or self.env(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[theirs], start_new_session=True, cwd="/",
            )
        os.close(theirs)
        said = b""
        with open(ready, "rb", buffering=0) as pipe:
            while piece := pipe.read(4096):
                said += piece
        return process, said.decode()

    def start(self, *args, env=None):
        process, said = self.spawn_daemon(*args, env=env)
        assert said == "ok\n", f"the daemon did not start: {said!r}\n{self.log()}"
        self.daemon = process
        return self

    def stop(self):
        """SIGTERM, and the wait for its end; the exit code."""
        process, self.daemon = self.daemon, None
        if process is None:
            return 0
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise

    def restart(self):
        assert self.stop() == 0, self.log()
        return self.start()

    def pids(self):
        """{role: pid} of the live processes; "daemon" is the supervisor."""
        out = {"daemon": self.daemon.pid}
        with open(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children", encoding="ascii") as f:
            children = f.read().split()
        for child in map(int, children):
            try:
                with open(f"/proc/{child}/cmdline", "rb") as f:
                    name = os.path.basename(f.read().split(b"\0")[0].decode())
            except OSError:
                continue
            if name in ROLES and alive(child):
                out[ROLES[name]] = child
        return out

    def wait_role(self, role, other_than=None):
        return wait_for(
            lambda: (p := self.pids().get(role)) and p != other_than and p, f"a live {role}")

    def kill(self, role, sig=signal.SIGKILL):
        pid = self.pids()[role]
        os.kill(pid, sig)
        return pid

    def log(self):
        try:
            return self.log_path.read_text("utf-8", "replace")
        except OSError:
            return ""

    def autostarted(self):
        """Ends the daemons of this vault that an autostart began; their pids."""
        mine = f"AIVAULT_DIR={self.root}".encode()
        pids = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    name = os.path.basename(file.read().split(b"\0")[0])
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if name == b"aivaultd" and mine in file.read().split(b"\0"):
                        pids.append(int(entry))
            except OSError:
                continue
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not any(map(alive, pids)), "autostarted daemons to end")
        return pids

    def verify_at_the_end(self):
        """Whatever a test did: the audit log is whole at its end, where there is one to ask."""
        runs = self.daemon is not None and self.daemon.poll() is None and self.socket.exists()
        if runs and self.log_is_whole and (self.root / "vault.db").exists():
            self.aivault("audit", "verify").ok()

    def close(self):
        try:
            daemon = self.daemon
            try:
                self.verify_at_the_end()
            finally:
                code = self.stop()
            assert self.autostarted() == [], "a command started a daemon of its own"
            if daemon and self.expect_clean_stop:
                assert code == 0, f"the daemon ended with {code}\n{self.log()}"
            for said in SANITIZER_SAID + CRASHES:
                assert said not in self.log(), self.log()
            for result in self.seen:
                for said in SANITIZER_SAID:
                    assert said not in result.errors, repr(result)
        finally:
            if self.mounted:
                subprocess.run(["umount", "-l", self.root], check=False)
            shutil.rmtree(self.dir, ignore_errors=True)

    # ---- the command line -------------------------------------------------------------------------

    def aivault(self, *args, input=b"", env=None, cwd=None, pass_fds=()):
        data = input.encode() if isinstance(input, str) else input
        done = subprocess.run(
            [BIN / "aivault", *map(str, args)], input=data, capture_output=True, timeout=SECONDS,
            env=env or self.env(), cwd=cwd or self.dir, pass_fds=pass_fds, check=False,
        )
        result = Result(args, done.returncode, done.stdout, done.stderr)
        self.seen.append(result)
        return result

    def popen(self, *args, env=None):
        return subprocess.Popen(
            [BIN / "aivault", *map(str, args)], env=env or self.env(), cwd=self.dir,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def agent(self):
        return Agent(self.socket)

    def store(self, name, value=None, *args):
        """Stores a secret by standard input; (its value, its metadata)."""
        value = value or "sk-canary-" + secrets.token_hex(24)
        self.secrets.append(value)
        return value, self.aivault("secrets", "create", "--name", name, *args, input=value).ok().json()

    def custom(self, host="api.acme-test.com", ident="acme", methods=("GET", "POST"), paths=("/",)):
        """A credential and a capability `<ident>/any` made on the command line; the secret."""
        value, meta = self.store(ident.upper().replace("-", "_") + "_KEY")
        self.aivault("credential", "create", ident, "--provider", ident, "--secret-ref",
                     "vault:secret:" + meta["secretId"], "--auth", "header", "--host", host).ok()
        args = ["capability", "create", f"{ident}/any", "--credential", ident]
        for method in methods:
            args += ["--method", method]
        for path in paths:
            args += ["--path", path]
        self.aivault(*args).ok()
        return value

    def chat(self, body, *args, **more):
        return self.aivault(
            "invoke", "openai/chat-completions", "--method", "POST", "--path",
            "/v1/chat/completions", "--header", "content-type=application/json", "--body", body,
            *args, **more)

    def audit(self, *args):
        return self.aivault("audit", "--output", "json", "--limit", "1000", *args).ok().json()

    def audit_of(self, kind, count):
        """The rows of one kind, once there are `count` (denials come in batches)."""
        def enough():
            rows = [r for r in self.audit() if r["kind"] == kind]
            return rows if len(rows) >= count else None
        return wait_for(enough, f"{count} audit rows of kind {kind}")

    def ended(self, count):
        """The calls that were let through and have ended, once there are `count`: the outcome's
        row is shown joined to the decision's."""
        def enough():
            rows = [r for r in self.audit() if r["kind"] == "invoke.allow" and "durationMs" in r]
            return rows if len(rows) >= count else None
        return wait_for(enough, f"{count} calls with an outcome")
