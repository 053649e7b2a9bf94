"""Drive Chromium over its DevTools protocol: open a page, press keys, evaluate an expression, take a picture."""

import asyncio
import base64
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect

from shared.testing import eventually

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS: Final = 30.0
_KEYS: Final = {"Tab": (9, ""), "Enter": (13, "\r")}


class NoChromium(Exception):
    """There is no Chromium on this machine. The message says what to install."""


def locate() -> str:
    """Return the path of Chromium: CHROMIUM, or the first of NAMES in PATH. Raises NoChromium."""
    wanted = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else NAMES
    found = next((path for name in wanted if (path := shutil.which(name))), None)
    if found is None:
        raise NoChromium(
            f"There is no Chromium: {', '.join(wanted)} cannot be executed. Install it (on Debian: apt-get install"
            " chromium), or set CHROMIUM to the path of its executable."
        )
    return found


class Tab:
    """One tab. `requests` has the headers of every request that it sent, `complaints` what the browser logged.

    A status of 400 or more is no complaint.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.requests: list[dict[str, str]] = []
        self.complaints: list[str] = []
        self._socket = socket
        self._ids = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loaded = asyncio.Event()
        self._session: dict[str, str] = {}

    async def read(self) -> None:
        """Receive answers and events until the connection ends."""
        async for text in self._socket:
            message = json.loads(text)
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message)
            elif message["method"] == "Page.loadEventFired":
                self._loaded.set()
            elif message["method"] == "Network.requestWillBeSentExtraInfo":
                self.requests.append({name.lower(): value for name, value in message["params"]["headers"].items()})
            elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["source"] != "network":
                self.complaints.append(message["params"]["entry"]["text"])

    async def attach(self) -> None:
        """Open the tab, in a context that ends with the connection."""
        context = await self.send("Target.createBrowserContext", disposeOnDetach=True)
        target = await self.send("Target.createTarget", url="about:blank", **context)
        attached = await self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Network", "Log"):
            await self.send(f"{domain}.enable")
        await self.send("Emulation.setFocusEmulationEnabled", enabled=True)

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params, **self._session}))
        message = await asyncio.wait_for(answer, SECONDS)
        assert "error" not in message, (method, message["error"])
        result: dict[str, Any] = message["result"]
        return result

    async def open(self, address: str, *, language: str) -> None:
        """Open an address as somebody who reads `language`, and wait until it is loaded."""
        await self.send("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})
        self._loaded.clear()
        await self.send("Page.navigate", url=address)
        await asyncio.wait_for(self._loaded.wait(), SECONDS)

    async def look(self, *, width: int, height: int, scheme: str) -> None:
        """Show the page in a window of this size, in the colour scheme `light` or `dark`."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.send("Emulation.setDeviceMetricsOverride", **metrics)
        await self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, awaited if it is a promise."""
        answer = await self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def press(self, key: str, *, loads: bool = False) -> None:
        """Press Tab or Enter. If the key `loads` a page, wait for that page."""
        code, text = _KEYS[key]
        self._loaded.clear()
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        await self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **event)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **event)
        if loads:
            await asyncio.wait_for(self._loaded.wait(), SECONDS)

    async def type(self, text: str) -> None:
        """Type a text into the focused field."""
        await self.send("Input.insertText", text=text)

    async def picture(self) -> bytes:
        """Return a picture of the whole page, as PNG."""
        shot = await self.send("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run Chromium with its profile in `folder`, and yield its address. Raises NoChromium."""
    options = ["--headless=new", "--remote-debugging-port=0", f"--user-data-dir={folder}", "--no-first-run"]
    options += ["--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--hide-scrollbars"]
    if os.geteuid() == 0:
        options.append("--no-sandbox")  # Chromium refuses to run its sandbox as root
    process = subprocess.Popen([locate(), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        written = folder / "DevToolsActivePort"
        port, path = eventually(
            lambda: written.exists() and len(t := written.read_text().split()) == 2 and t, timeout=SECONDS
        )
        yield f"ws://127.0.0.1:{port}{path}"
    finally:
        process.terminate()
        process.wait()


@asynccontextmanager
async def tab_of(address: str) -> AsyncIterator[Tab]:
    """Yield a new tab of the running Chromium, with a profile of its own."""
    async with connect(address, max_size=None) as socket:
        tab = Tab(socket)
        reader = asyncio.create_task(tab.read())
        await tab.attach()
        yield tab
        reader.cancel()
