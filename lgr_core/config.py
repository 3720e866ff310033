"""Settings from the environment. Nothing else in the package reads ``os.environ``."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from platformdirs import user_data_path

from lgr_core.errors import InputError


@dataclass(frozen=True, slots=True)
class Layout:
    """Where an installation's own files are, and where it builds unless LGR_HOME says otherwise.

    ``shipped`` is the folder of drug annotations, gene programmes, recorded answers and prices,
    ``app`` the script that Streamlit runs, ``home`` the default home and ``home_is`` what that
    folder is, in words.
    """

    shipped: Path
    app: Path
    home: Path
    home_is: str

    @classmethod
    def of(cls, package: Path) -> Layout:
        """The layout around the folder of this package.

        A wheel carries the app and the data inside the package. In a checkout, which
        ``pip install -e .`` uses as it is, they stand beside it.
        """
        if (package / "data").is_dir():
            home = user_data_path("lgr-explorer", appauthor=False)
            app = package / "_app" / "app.py"
            return cls(package / "data", app, home, "the user's data folder on this platform")
        root = package.parent
        return cls(root / "data", root / "app.py", root / "data", "data/ of the checkout")


LAYOUT = Layout.of(Path(str(resources.files("lgr_core"))).resolve())
"""The layout of this installation."""

SHIPPED = LAYOUT.shipped
"""What ships: drug annotations, gene programmes, recorded answers, prices."""

SHIPPED_RUNS = SHIPPED / "benchmark_runs"
"""Compact folders of benchmark runs, made by ``benchmarks/ship_run.py``."""

DEFAULT_MODEL = "gpt-5.2-2025-12-11"
"""The paper's language model, as a dated snapshot."""

DEFAULT_MAX_TOKENS = 4_000
"""Output tokens that an answer may have."""

DEFAULT_DEADLINE = 180.0
"""Seconds within which a whole answer must have come."""

DEFAULT_UPLOAD_MB = 1_500
"""Memory, in MB, that reading a file which a visitor sent may take."""

DEFAULT_UPLOAD_SECONDS = 300.0
"""Seconds within which such a file must have been read."""

DEFAULT_JOBS = max(1, (os.cpu_count() or 1) // 2)
"""Heavy computations of all visitors at a time: the other cores answer plain pages."""

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

_KEY = "OPENAI_API_KEY"

_LOOPBACK = ("localhost", "127.0.0.1", "::1")

_ON, _OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where this installation keeps what it builds, and which language model it asks.

    ``home`` is LGR_HOME (unset: that of ``LAYOUT``), ``api_key`` OPENAI_API_KEY, ``llm_base_url``
    LGR_LLM_BASE_URL (None: the OpenAI API), ``llm_model`` LGR_LLM_MODEL, ``llm_budget_usd``
    LGR_LLM_BUDGET_USD (None: no limit), ``llm_max_tokens`` LGR_LLM_MAX_TOKENS (of an answer),
    ``llm_deadline`` LGR_LLM_DEADLINE (seconds for a whole answer), ``llm_redirect_hosts``
    LGR_LLM_REDIRECT_HOSTS (hosts, separated by commas, that a server may send requests and key on
    to). ``uploads`` is LGR_UPLOADS, whether visitors of the app may send files, and
    ``public_uploads`` whether it says so in words, see :meth:`takes_uploads`. ``upload_memory_mb``
    (LGR_UPLOAD_MEMORY_MB) and ``upload_deadline`` (LGR_UPLOAD_DEADLINE, seconds) limit the process
    that reads a file, ``jobs`` (LGR_JOBS) is how many heavy computations the app runs at a time,
    ``log_level`` LGR_LOG_LEVEL and ``login`` LGR_LOGIN, whether visitors log in first. The key,
    and the address, which may hold one, are never shown.
    """

    home: Path = LAYOUT.home
    api_key: str | None = field(default=None, repr=False)
    llm_base_url: str | None = field(default=None, repr=False)
    llm_model: str = DEFAULT_MODEL
    llm_budget_usd: float | None = None
    uploads: bool = True
    public_uploads: bool = False
    upload_memory_mb: int = DEFAULT_UPLOAD_MB
    upload_deadline: float = DEFAULT_UPLOAD_SECONDS
    jobs: int = DEFAULT_JOBS
    log_level: str = "INFO"
    login: bool = False
    llm_max_tokens: int = DEFAULT_MAX_TOKENS
    llm_deadline: float = DEFAULT_DEADLINE
    llm_redirect_hosts: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings; an unset or empty variable keeps its default.

        Raises
        ------
        InputError
            If LGR_HOME is a file, LGR_LLM_BUDGET_USD is not an amount of money, a limit is not
            above 0, LGR_UPLOADS or LGR_LOGIN says neither yes nor no, or LGR_LOG_LEVEL is no level.
        """
        home = _text(environ, "LGR_HOME")
        model = _text(environ, "LGR_LLM_MODEL")
        return cls(
            home=LAYOUT.home if home is None else home_folder(home),
            api_key=_text(environ, _KEY),
            llm_base_url=_text(environ, "LGR_LLM_BASE_URL"),
            llm_model=DEFAULT_MODEL if model is None else model,
            llm_budget_usd=_dollars(environ, "LGR_LLM_BUDGET_USD"),
            llm_max_tokens=int(_above_0(environ, "LGR_LLM_MAX_TOKENS", DEFAULT_MAX_TOKENS)),
            llm_deadline=_above_0(environ, "LGR_LLM_DEADLINE", DEFAULT_DEADLINE),
            llm_redirect_hosts=_hosts(environ, "LGR_LLM_REDIRECT_HOSTS"),
            uploads=_yes(environ, "LGR_UPLOADS"),
            public_uploads=_asked_for(environ, "LGR_UPLOADS"),
            upload_memory_mb=int(_above_0(environ, "LGR_UPLOAD_MEMORY_MB", DEFAULT_UPLOAD_MB)),
            upload_deadline=_above_0(environ, "LGR_UPLOAD_DEADLINE", DEFAULT_UPLOAD_SECONDS),
            jobs=int(_above_0(environ, "LGR_JOBS", DEFAULT_JOBS)),
            log_level=_level(environ, "LGR_LOG_LEVEL"),
            login=_asked_for(environ, "LGR_LOGIN"),
        )

    def takes_uploads(self, address: str | None) -> bool:
        """Whether visitors may send files to a server that listens on ``address``.

        One that others reach (None: every address) takes them only where LGR_UPLOADS asks for it.
        """
        if not self.uploads:
            return False
        return self.public_uploads or (address or "").strip("[]").casefold() in _LOOPBACK

    @property
    def home_is(self) -> str:
        """What ``home`` is, which says why it is there."""
        return LAYOUT.home_is if self.home == LAYOUT.home else "named by LGR_HOME"

    def environment(self) -> dict[str, str]:
        """The environment of a process that is started here: this one's, with this home."""
        return {**os.environ, "LGR_HOME": str(self.home)}

    def without_key(self) -> dict[str, str]:
        """The same for a process that reads a stranger's file: it holds no key."""
        return {name: text for name, text in self.environment().items() if name != _KEY}

    @property
    def atlases(self) -> Path:
        """The folder that holds one folder an atlas."""
        return self.home / "atlases"

    @property
    def runs(self) -> Path:
        """The folder that holds one folder a benchmark run."""
        return self.home / "runs"

    @property
    def received(self) -> Path:
        """The folder of files that visitors sent and that are not an atlas yet."""
        return self.home / "uploads"

    @property
    def answers(self) -> Path:
        """The folder of the exact cache of language-model answers."""
        return self.home / "cache"

    @property
    def derived(self) -> Path:
        """The folder of what is computed from atlases once a build: changes, maps and plans."""
        return self.home / "cache" / "derived"

    @property
    def neighbor_folders(self) -> tuple[Path, Path]:
        """Where neighbour files lie: the user's own first, then the shipped ones."""
        return self.home / "neighbors", SHIPPED / "recorded_neighbors"


def _text(environ: Mapping[str, str], name: str) -> str | None:
    text = environ.get(name, "").strip()
    return text or None


def home_folder(text: str, *, asked: str = "LGR_HOME") -> Path:
    """The absolute folder of that name, which may be yet to be made.

    Raises
    ------
    InputError
        If it is a file; the message is about ``asked``.
    """
    path = Path(text).expanduser().resolve()
    if path.exists() and not path.is_dir():
        raise InputError(asked, f"{path} is a file", "Give a folder, there or to be made.")
    return path


def _yes(environ: Mapping[str, str], name: str) -> bool:
    """Whether a switch is on; unset it is."""
    text = _text(environ, name)
    if text is not None and text.casefold() not in {*_ON, *_OFF}:
        raise InputError(name, f"{text!r} is neither yes nor no", "Give 1 or 0.")
    return text is None or text.casefold() in _ON


def _asked_for(environ: Mapping[str, str], name: str) -> bool:
    """Whether a switch is set to on; unset it is off."""
    return _text(environ, name) is not None and _yes(environ, name)


def _level(environ: Mapping[str, str], name: str) -> str:
    text = (_text(environ, name) or "INFO").upper()
    if text not in LOG_LEVELS:
        raise InputError(name, f"{text!r} is no level", f"Give one of {', '.join(LOG_LEVELS)}.")
    return text


def _above_0(environ: Mapping[str, str], name: str, default: float) -> float:
    """A whole number of 1 or more."""
    text = _text(environ, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= _MOST):
        raise InputError(
            name, f"{text!r} is no whole number above 0", f"Give one, like {default:g}."
        )
    return int(text)


_MOST = 10_000_000


def _hosts(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    text = _text(environ, name)
    parts = () if text is None else text.casefold().split(",")
    return tuple(part.strip() for part in parts if part.strip())


def _dollars(environ: Mapping[str, str], name: str) -> float | None:
    text = _text(environ, name)
    if text is None:
        return None
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not (math.isfinite(amount) and amount >= 0):
        raise InputError(name, f"{text!r} is no amount of US dollars", "Give a number like 5.")
    return amount
