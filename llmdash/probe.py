"""`python -m llmdash.probe [PATH or URL]`: ask this container's process, or another, how it is; 0 when it is well.

Without Django, since it runs every few seconds. The worker and the watcher answer on LLMDASH_METRICS_PORT.
"""

import os
import sys
import urllib.error
import urllib.request

WEB_PORT = 8000


def main(path: str = "/healthz") -> int:
    """Print the answer; 1 when there is none or a bad one."""
    port = int(os.environ.get("LLMDASH_METRICS_PORT") or os.environ.get("PORT") or WEB_PORT)
    url = path if path.startswith("http://") else f"http://127.0.0.1:{port}{path}"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy of the environment
    try:
        with direct.open(url, timeout=4) as answer:
            text, code = answer.read(200), 0
    except urllib.error.HTTPError as error:
        text, code = error.read(200), 1
    except OSError as error:
        text, code = f"{error}\n".encode(), 1
    sys.stdout.write(text.decode(errors="replace"))
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
