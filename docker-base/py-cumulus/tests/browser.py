"""A headless Chromium that tests drive through its own debugging pipe; no driver is needed."""

import base64
import json
import os
import select
import subprocess
import time

from programs import need


class Browser:
    """One page in a browser; commands are those of the Chrome DevTools Protocol."""

    def __init__(self, folder):
        program = need("chromium", "chromium-browser", "google-chrome")
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()

        def wire():  # the browser reads from 3 and writes to 4
            read_copy, write_copy = os.dup(to_read), os.dup(to_write)
            os.dup2(read_copy, 3)
            os.dup2(write_copy, 4)

        argv = [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
                "--no-first-run", "--disable-background-networking", f"--user-data-dir={folder}",
                "about:blank"]  # fmt: skip
        self._process = subprocess.Popen(
            argv, preexec_fn=wire, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_read)
        os.close(to_write)
        self._number, self._pending, self.events = 0, b"", []
        self._session = None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """Send a command and return its result; what the browser reports meanwhile is kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.events.append(answer)

    def _next(self):
        deadline = time.monotonic() + 60
        while b"\0" not in self._pending:
            assert time.monotonic() < deadline, "the browser does not answer"
            if select.select([self._read], [], [], 1)[0]:
                data = os.read(self._read, 1 << 20)
                assert data, "the browser ended"
                self._pending += data
        text, _, self._pending = self._pending.partition(b"\0")
        return json.loads(text)

    def open(self, path, width, dark=False):
        """Show a file in a window of this width."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=width < 500)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.call("Page.navigate", url=path.absolute().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def value(self, expression):
        """The value of a JavaScript expression on the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            code = {"Tab": 9, "Enter": 13}[key]
            text = "\r" if key == "Enter" and kind == "keyDown" else ""
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, text=text,
                      windowsVirtualKeyCode=code)  # fmt: skip

    def picture(self, path):
        """Write what the whole page looks like as PNG."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        os.close(self._write)
        os.close(self._read)
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
