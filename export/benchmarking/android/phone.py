"""A phone that adb reaches."""

import shutil
import subprocess

from keras_vit.errors import InputError, first_line, listed

FOLDER = "/data/local/tmp/keras_vit"  # where a shell may write and execute
TIME_LIMIT = 600  # seconds of one command
_STATES = {
    "unauthorized": "has not authorised this computer: unlock it and accept the question on its screen",
    "offline": "is offline: disconnect and connect it again",
    "no permissions": "may not be used by this user: see adb's udev rules",
}


class Phone:
    """The one phone that adb sees, or that of a serial number; every error is an InputError.

    Attributes:
        serial: str, by which adb names it.
        facts: dict of its `model`, `android` version, `abi` and `soc`.
    """

    def __init__(self, serial: str | None = None):
        self.adb = shutil.which("adb")
        if self.adb is None:
            raise InputError(
                "Expected adb, which talks to phones, on the PATH, found none. Install Android's platform "
                "tools."
            )
        self.serial = _chosen(self._run(["devices"]), serial)
        names = {"model": "product.model", "android": "build.version.release", "abi": "product.cpu.abi"}
        self.facts = {key: self.shell("getprop", f"ro.{name}").strip() for key, name in names.items()}
        self.facts["soc"] = self.shell("getprop", "ro.soc.model").strip()

    def push(self, path, name):
        """Copies a file into `FOLDER`; returns its path there."""
        self.shell("mkdir", "-p", FOLDER)
        self._run(["-s", self.serial, "push", str(path), f"{FOLDER}/{name}"])
        return f"{FOLDER}/{name}"

    def shell(self, *words, check=True):
        """Runs a command on the phone; returns what it prints. Without `check` it may end with an error."""
        return self._run(["-s", self.serial, "shell", *words], check)

    def clear(self):
        """Removes what was pushed."""
        self.shell("rm", "-rf", FOLDER, check=False)

    def _run(self, words, check=True):
        try:
            done = subprocess.run(
                [self.adb, *words],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=TIME_LIMIT,
                check=False,
                encoding="utf-8",
                errors="replace",
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"adb {words[-1]} did not end in {TIME_LIMIT} s. Is the phone asleep?"
            ) from error
        except OSError as error:
            raise InputError(f"{self.adb} cannot be run: {error.strerror}.") from error
        if check and done.returncode:
            raise InputError(f"adb {' '.join(words)} failed: {first_line(done.stdout) or done.returncode}.")
        return done.stdout


def _chosen(text, serial):
    """The serial number of the phone to use, of what `adb devices` prints."""
    rows = [line.partition("\t") for line in text.splitlines()]  # others say that adb's server was started
    found = {name: state.strip() for name, tab, state in rows if tab}
    if not found:
        raise InputError(
            "Expected a phone, adb sees none. Connect one, and allow USB debugging in its developer options."
        )
    if serial is None and len(found) > 1:
        raise InputError(
            f"Expected one phone, adb sees {listed(sorted(found))}. Choose one: --serial {min(found)}"
        )
    name = serial or next(iter(found))
    if name not in found:
        raise InputError(f"Expected a phone {serial}, adb sees {listed(sorted(found))}.")
    state = found[name]
    if state != "device":
        reason = next((words for start, words in _STATES.items() if state.startswith(start)), f"is {state}")
        raise InputError(f"The phone {name} {reason}.")
    return name
