"""Every setting, read once from the environment. Nothing else in Matinee reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from matinee.errors import SettingsProblem
from matinee.quotas import QUOTAS, Limit, limits_of


def _setting(variable: str, help_text: str, *, separator: str = os.pathsep) -> dict[str, str]:
    """Metadata of one setting: its environment variable, the line that the reference page shows, and what stands
    between its values where it may have several."""
    return {"variable": variable, "help": help_text, "separator": separator}


@dataclass(frozen=True)
class Settings:
    """The settings of one process. Build with `Settings.from_environment`; tests build them directly."""

    home: Path = field(
        default=Path(".matinee"),
        metadata=_setting("MATINEE_HOME", "Folder for metadata, objects and logs; made when missing."),
    )
    database_url: str | None = field(
        default=None,
        metadata=_setting("MATINEE_DATABASE_URL", "SQLAlchemy URL of the metadata; default SQLite in MATINEE_HOME."),
    )
    store_url: str | None = field(
        default=None,
        metadata=_setting("MATINEE_STORE_URL", "Where objects live: `file:///…` or `s3://…`; default MATINEE_HOME."),
    )
    redis_url: str | None = field(
        default=None,
        metadata=_setting(
            "MATINEE_REDIS_URL",
            "Redis that keeps answers for several processes: `redis://user:password@host:6379/0`, `rediss://…` with "
            "TLS or `unix://…`; default none.",
        ),
    )
    redis_ca: Path | None = field(
        default=None,
        metadata=_setting(
            "MATINEE_REDIS_CA",
            "PEM file of the authorities that sign the Redis server's certificate; default system's.",
        ),
    )
    cache_mb: int = field(
        default=64,
        metadata=_setting(
            "MATINEE_CACHE_MB",
            "Megabytes of answers that each API process keeps in memory. 0: answers are not kept, not in Redis either.",
        ),
    )
    histories_mb: int = field(
        default=256,
        metadata=_setting(
            "MATINEE_HISTORIES_MB",
            "Megabytes in which each API process keeps what models made of users' histories, about 0.1 MB a user, "
            "until there are new events; 0: a model reads the whole history for every answer.",
        ),
    )
    max_tps: int = field(
        default=0,
        metadata=_setting(
            "MATINEE_MAX_TPS",
            "Runtime requests a second that one server takes, all its processes together; each campaign has its "
            "minProvisionedTPS of them for itself, what is above gets ThrottlingException. 0: no ceiling.",
        ),
    )
    drain_seconds: int = field(
        default=0,
        metadata=_setting(
            "MATINEE_DRAIN_SECONDS",
            "Seconds after SIGTERM in which a server still answers while `/readyz` says 503, so that load balancers "
            "turn away from it before it stops accepting.",
        ),
    )
    datasets: tuple[Path, ...] = field(
        default=(),
        metadata=_setting("MATINEE_DATASETS", "Folders, separated by `:`, in which data sets are looked for."),
    )
    file_roots: tuple[Path, ...] = field(
        default=(),
        metadata=_setting("MATINEE_FILE_ROOTS", "Folders, separated by `:`, that `file://` may reach; default any."),
    )
    account_id: str = field(
        default="123456789012",
        metadata=_setting("MATINEE_ACCOUNT", "Account of callers that are not told apart by access key; 12 digits."),
    )
    threads: int = field(
        default=1,
        metadata=_setting("MATINEE_THREADS", "Threads that one training may use; more only pay on idle cores."),
    )
    device: str = field(
        default="cpu",
        metadata=_setting(
            "MATINEE_DEVICE",
            "Where a worker trains transformers, as PyTorch calls it: `cpu`, `cuda`, `cuda:1`. Trainings fail, and say "
            "so, where there is none such; serving needs none.",
        ),
    )
    bfloat16: bool = field(
        default=False,
        metadata=_setting(
            "MATINEE_BFLOAT16", "on or off: multiply in bfloat16 while transformers are trained; for GPUs."
        ),
    )
    compiled: bool = field(
        default=False,
        metadata=_setting(
            "MATINEE_COMPILE",
            "on or off: compile transformers before they are trained, which pays on long trainings; for GPUs.",
        ),
    )
    sentence_model: Path | None = field(
        default=None,
        metadata=_setting(
            "MATINEE_SENTENCE_MODEL",
            "Folder of a sentence-embedding model (ONNX, with its tokenizer) by which aws-semantic-similarity reads "
            "texts; needs `matinee[sentences]`. Default: none, texts are read by TF-IDF and SVD.",
        ),
    )
    aws_quotas: bool = field(
        default=False,
        metadata=_setting("MATINEE_AWS_QUOTAS", "1: the service's own quotas; default generous ones."),
    )
    quotas: tuple[Limit, ...] = field(
        default=(),
        metadata=_setting(
            "MATINEE_QUOTAS",
            "Numbers that take the place of quotas: `name=number`, separated by commas; the names are those of "
            "[the quotas](quotas.md).",
            separator=",",
        ),
    )
    auto_training: bool = field(
        default=True,
        metadata=_setting(
            "MATINEE_AUTO_TRAINING",
            "on or off: train solutions with automatic training, and recommenders, by their schedules; the first "
            "training comes an hour after a solution was made, as at the service.",
        ),
    )
    tuning_parallel: int = field(
        default=1,
        metadata=_setting(
            "MATINEE_TUNING_PARALLEL",
            "Trials of a hyperparameter optimisation that may run at the same time, where hpoResourceConfig asks for "
            "as many. Each takes the memory of a training; with 1 a study is deterministic.",
        ),
    )
    auto_update_seconds: int = field(
        default=7200,
        metadata=_setting(
            "MATINEE_AUTO_UPDATE_SECONDS",
            "Seconds between two updates in which deployed models of recipes that explore take in new items and events "
            "without being trained again; two hours, as at the service. 0: never.",
        ),
    )
    keep_versions: int = field(
        default=0,
        metadata=_setting(
            "MATINEE_KEEP_VERSIONS",
            "How many ACTIVE versions of a solution are kept. When one more becomes ACTIVE, older ones that no "
            "campaign and no unfinished batch job uses are deleted with their artifacts: Describe then answers "
            "ResourceNotFoundException. 0: all are kept.",
        ),
    )
    check_roles: str = field(
        default="auto",
        metadata=_setting(
            "MATINEE_CHECK_ROLES",
            "auto, always or never: check that a job's role and its bucket let the service reach the data; "
            "auto: when AWS_ENDPOINT_URL_IAM is set.",
        ),
    )
    iam_endpoint_url: str | None = field(
        default=None,
        metadata=_setting("AWS_ENDPOINT_URL_IAM", "Where IAM answers for role checks; default as boto3 finds it."),
    )
    attribution_seconds: int = field(
        default=300,
        metadata=_setting(
            "MATINEE_ATTRIBUTION_SECONDS",
            "Seconds between two looks at whether metric attributions have events to count or windows to report. 0: "
            "never.",
        ),
    )
    trending_refresh: int = field(
        default=7200,
        metadata=_setting(
            "MATINEE_TRENDING_REFRESH",
            "Seconds after which trending items are counted again, from the end of the training on; at most one "
            "interval of the recipe, whatever is given. The service does it every two hours. 1: at once.",
        ),
    )
    popularity_refresh: int = field(
        default=60,
        metadata=_setting(
            "MATINEE_POPULARITY_REFRESH",
            "Seconds after which streamed events are counted again for what is popular lately, a part of the blend "
            "that the user recipes have.",
        ),
    )
    segment_output_key: str = field(
        default="usersList",
        metadata=_setting(
            "MATINEE_SEGMENT_OUTPUT_KEY",
            "usersList or recommendedUsers: the key of the users in outputs of batch segment jobs. The first was "
            "recorded from the service, the second stands in its guide.",
        ),
    )
    llm_url: str | None = field(
        default=None,
        metadata=_setting(
            "MATINEE_LLM_URL",
            "Base URL of an OpenAI-compatible endpoint, like `http://localhost:11434/v1`, that writes the titles of "
            "batch themes: it is told the names, categories and beginnings of the texts of the listed items. Default: "
            "none, titles are made of the terms that stand out.",
        ),
    )
    llm_model: str | None = field(
        default=None, metadata=_setting("MATINEE_LLM_MODEL", "Model that MATINEE_LLM_URL is asked for.")
    )
    llm_key: str | None = field(
        default=None,
        repr=False,
        metadata=_setting("MATINEE_LLM_KEY", "API key for MATINEE_LLM_URL, sent as a bearer token; default none."),
    )
    llm_timeout: int = field(
        default=30,
        metadata=_setting(
            "MATINEE_LLM_TIMEOUT",
            "Seconds that one question to MATINEE_LLM_URL may take. It is asked three times at most for a title, and "
            "no more by a job after three titles in a row that it did not give.",
        ),
    )
    delivery_hosts: tuple[str, ...] = field(
        default=(),
        metadata=_setting(
            "MATINEE_DELIVERY_HOSTS",
            "Hosts, separated by commas, that webhooks of `matinee rules` may also reach without TLS and on link-local "
            "addresses; default: https anywhere else, http on this machine only.",
            separator=",",
        ),
    )
    delivery_ca: Path | None = field(
        default=None,
        metadata=_setting(
            "MATINEE_DELIVERY_CA",
            "PEM file of the authorities that sign webhooks' certificates; default the system's.",
        ),
    )
    delivery_longest_wait: int = field(
        default=300,
        metadata=_setting(
            "MATINEE_DELIVERY_LONGEST_WAIT",
            "Seconds that a failed delivery waits at most before it is tried again; the first wait is about one.",
        ),
    )
    delivery_give_up: int = field(
        default=259_200,
        metadata=_setting(
            "MATINEE_DELIVERY_GIVE_UP",
            "Seconds after which a delivery that goes on failing becomes a dead letter; three days.",
        ),
    )
    exploration_refresh: int = field(
        default=10,
        metadata=_setting(
            "MATINEE_EXPLORATION_REFRESH",
            "Seconds after which a process counts new impressions and clicks for exploration; the service does it "
            "every two hours. 0: before every answer.",
        ),
    )
    managed_exploration: float = field(
        default=0.001,
        metadata=_setting(
            "MATINEE_MANAGED_EXPLORATION",
            "Share, from 0 to 1, of the places of user-personalization-v2 that show an item which nobody has met yet.",
        ),
    )
    recommendation_log_explored: float = field(
        default=1.0,
        metadata=_setting(
            "MATINEE_RECOMMENDATION_LOG_EXPLORED",
            "Share, from 0 to 1, of the answers with exploration that are kept with the probability of each place. "
            "Implicit impressions (recommendationId in PutEvents) are known only of answers that are kept.",
        ),
    )
    recommendation_log_others: float = field(
        default=0.0,
        metadata=_setting(
            "MATINEE_RECOMMENDATION_LOG_OTHERS",
            "Share, from 0 to 1, of the answers without exploration that are kept.",
        ),
    )
    recommendation_log_days: int = field(
        default=30,
        metadata=_setting("MATINEE_RECOMMENDATION_LOG_DAYS", "Days for which answers are kept; 0: none is."),
    )
    recommendation_log_rows: int = field(
        default=1_000_000,
        metadata=_setting("MATINEE_RECOMMENDATION_LOG_ROWS", "How many answers are kept at most; the oldest go first."),
    )
    log_level: str = field(
        default="INFO",
        metadata=_setting("MATINEE_LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR."),
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from `environment` (default: the process's own).

        Raises `SettingsProblem` naming the variable when a value cannot be used.
        """
        env = os.environ if environment is None else environment
        given = {f.name: env[f.metadata["variable"]] for f in fields(cls) if env.get(f.metadata["variable"])}
        account = given.get("account_id", cls.account_id)
        if not (len(account) == 12 and account.isdigit()):
            raise SettingsProblem(f"MATINEE_ACCOUNT must be 12 digits, not {account!r}.")
        try:
            threads = int(given.get("threads", cls.threads))
        except ValueError:
            raise SettingsProblem(f"MATINEE_THREADS must be a whole number, not {given['threads']!r}.") from None
        if threads < 1:
            raise SettingsProblem("MATINEE_THREADS must be at least 1.")
        check_roles = given.get("check_roles", cls.check_roles).lower()
        if check_roles not in {"auto", "always", "never"}:
            raise SettingsProblem(f"MATINEE_CHECK_ROLES must be auto, always or never, not {check_roles!r}.")
        level = given.get("log_level", cls.log_level).upper()
        if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise SettingsProblem(f"MATINEE_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {level!r}.")
        segment_key = given.get("segment_output_key", cls.segment_output_key)
        if segment_key not in {"usersList", "recommendedUsers"}:
            raise SettingsProblem(
                f"MATINEE_SEGMENT_OUTPUT_KEY must be usersList or recommendedUsers, not {segment_key!r}."
            )
        return cls(
            home=Path(given.get("home", str(cls.home))).absolute(),
            database_url=given.get("database_url"),
            store_url=given.get("store_url"),
            redis_url=given.get("redis_url"),
            redis_ca=Path(given["redis_ca"]) if "redis_ca" in given else None,
            cache_mb=_count("MATINEE_CACHE_MB", given.get("cache_mb", "64")),
            histories_mb=_count("MATINEE_HISTORIES_MB", given.get("histories_mb", "256")),
            max_tps=_count("MATINEE_MAX_TPS", given.get("max_tps", "0")),
            drain_seconds=_count("MATINEE_DRAIN_SECONDS", given.get("drain_seconds", "0")),
            datasets=tuple(Path(p) for p in given.get("datasets", "").split(os.pathsep) if p),
            file_roots=tuple(Path(p) for p in given.get("file_roots", "").split(os.pathsep) if p),
            account_id=account,
            threads=threads,
            device=given.get("device", cls.device),
            bfloat16=_on_or_off("MATINEE_BFLOAT16", given.get("bfloat16", "off")),
            compiled=_on_or_off("MATINEE_COMPILE", given.get("compiled", "off")),
            sentence_model=Path(given["sentence_model"]) if "sentence_model" in given else None,
            aws_quotas=given.get("aws_quotas", "").lower() in {"1", "true", "yes"},
            quotas=limits_of("MATINEE_QUOTAS", given.get("quotas", "")),
            auto_training=_on_or_off("MATINEE_AUTO_TRAINING", given.get("auto_training", "on")),
            tuning_parallel=_count("MATINEE_TUNING_PARALLEL", given.get("tuning_parallel", "1"), least=1),
            auto_update_seconds=_count("MATINEE_AUTO_UPDATE_SECONDS", given.get("auto_update_seconds", "7200")),
            attribution_seconds=_count("MATINEE_ATTRIBUTION_SECONDS", given.get("attribution_seconds", "300")),
            trending_refresh=_count("MATINEE_TRENDING_REFRESH", given.get("trending_refresh", "7200"), least=1),
            popularity_refresh=_count("MATINEE_POPULARITY_REFRESH", given.get("popularity_refresh", "60"), least=1),
            keep_versions=_count("MATINEE_KEEP_VERSIONS", given.get("keep_versions", "0")),
            check_roles=check_roles,
            iam_endpoint_url=given.get("iam_endpoint_url"),
            segment_output_key=segment_key,
            llm_url=given.get("llm_url"),
            llm_model=given.get("llm_model"),
            llm_key=given.get("llm_key"),
            llm_timeout=_count("MATINEE_LLM_TIMEOUT", given.get("llm_timeout", "30"), least=1),
            delivery_hosts=tuple(host.strip().lower() for host in given.get("delivery_hosts", "").split(",") if host),
            delivery_ca=Path(given["delivery_ca"]) if "delivery_ca" in given else None,
            delivery_longest_wait=_count(
                "MATINEE_DELIVERY_LONGEST_WAIT", given.get("delivery_longest_wait", "300"), least=1
            ),
            delivery_give_up=_count("MATINEE_DELIVERY_GIVE_UP", given.get("delivery_give_up", "259200")),
            exploration_refresh=_count("MATINEE_EXPLORATION_REFRESH", given.get("exploration_refresh", "10")),
            managed_exploration=_share("MATINEE_MANAGED_EXPLORATION", given.get("managed_exploration", "0.001")),
            recommendation_log_explored=_share(
                "MATINEE_RECOMMENDATION_LOG_EXPLORED", given.get("recommendation_log_explored", "1")
            ),
            recommendation_log_others=_share(
                "MATINEE_RECOMMENDATION_LOG_OTHERS", given.get("recommendation_log_others", "0")
            ),
            recommendation_log_days=_count(
                "MATINEE_RECOMMENDATION_LOG_DAYS", given.get("recommendation_log_days", "30")
            ),
            recommendation_log_rows=_count(
                "MATINEE_RECOMMENDATION_LOG_ROWS", given.get("recommendation_log_rows", "1000000"), least=1
            ),
            log_level=level,
        )

    @property
    def effective_database_url(self) -> str:
        """The metadata URL: what was given, else SQLite in the home folder."""
        return self.database_url or f"sqlite:///{self.home / 'matinee.db'}"

    def quota(self, name: str) -> int | None:
        """The number of the quota called `name`: given, else the service's or the generous one; None for no limit."""
        given = next((limit.number for limit in self.quotas if limit.name == name), None)
        if given is not None:
            return given
        return QUOTAS[name].aws if self.aws_quotas else QUOTAS[name].generous


def _on_or_off(variable: str, text: str) -> bool:
    words = {"on": True, "1": True, "true": True, "yes": True, "off": False, "0": False, "false": False, "no": False}
    if text.lower() not in words:
        raise SettingsProblem(f"{variable} must be on or off, not {text!r}.")
    return words[text.lower()]


def _count(variable: str, text: str, *, least: int = 0) -> int:
    if not text.isdecimal() or int(text) < least:
        raise SettingsProblem(f"{variable} must be a whole number from {least}, not {text!r}.")
    return int(text)


def _share(variable: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise SettingsProblem(f"{variable} must be a number from 0 to 1, not {text!r}.")
    return share
