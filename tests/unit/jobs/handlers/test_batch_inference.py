"""Batch inference: the service's file names and lines, in the input's order, errors in their places."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from tests.unit.jobs.orders import batch_job, put_event, read_lines, run, trained, write_lines
from tests.unit.jobs.rig import House, arn

JOB = arn("batch-inference-job/batch")


def test_every_line_is_answered_in_its_order(house: House, tmp_path: Path) -> None:
    version = trained(house, tmp_path, "aws-popularity-count")
    lines = [{"userId": f"user{n}"} for n in range(600)]
    source = write_lines(tmp_path / "in" / "users.json", lines)
    assert run(house, batch_job(house, version, source, f"file://{tmp_path}/out/")) == "DONE"
    answered = read_lines(tmp_path / "out" / "users.json.out")
    assert [line["input"] for line in answered] == lines
    assert {len(line["output"]["recommendedItems"]) for line in answered} == {5}
    assert all(set(line) == {"input", "output", "error"} and line["error"] is None for line in answered)
    assert "scores" not in answered[0]["output"]
    assert (tmp_path / "out" / "_CHECK").read_bytes() == b""
    assert house.status(JOB) == ("ACTIVE", None)


def test_a_folder_is_answered_file_by_file_on_s3(
    house: House, s3_endpoint: str, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    client = boto3.client("s3")
    for name in ("a.json", "b.json"):
        client.put_object(Bucket=bucket, Key=f"in/{name}", Body=b'{"userId":"user1"}\n')
    version = trained(house, tmp_path, "aws-popularity-count")
    assert run(house, batch_job(house, version, f"s3://{bucket}/in/", f"s3://{bucket}")) == "DONE"
    found = {entry["Key"]: entry for entry in client.list_objects_v2(Bucket=bucket)["Contents"]}
    assert {"a.json.out", "b.json.out", "_CHECK"} <= set(found)
    job = house.resource(JOB)
    assert job is not None
    assert found["a.json.out"]["LastModified"].timestamp() > job.created_at / 1000
    body = client.get_object(Bucket=bucket, Key="a.json.out")["Body"].read()
    assert body.startswith(b'{"input":{"userId":"user1"},"output":{"recommendedItems":["film')
    assert body.endswith(b']},"error":null}\n')


def test_a_bad_line_says_why_and_the_others_are_answered(house: House, tmp_path: Path) -> None:
    version = trained(house, tmp_path, "aws-sims")
    lines = [{"itemId": "film1"}, {"userId": "user1"}, "not json", {"itemId": 7}, "[]"]
    source = write_lines(tmp_path / "in.json", lines)
    assert run(house, batch_job(house, version, source, f"file://{tmp_path}/out")) == "DONE"
    answered = read_lines(tmp_path / "out" / "in.json.out")
    assert answered[1] == {
        "input": {"userId": "user1"},
        "output": {"recommendedItems": []},
        "error": "User error: Required fields for the provided recipe are itemId",
    }
    assert answered[2]["input"] == "not json"
    assert answered[2]["error"].startswith("User error: the line is not valid JSON")
    assert [line["error"] is None for line in answered] == [True, False, False, True, False]
    assert "film1" not in answered[0]["output"]["recommendedItems"]
    job = house.resource(JOB)
    assert job is not None
    assert (job.private["lines"], job.private["failed"]) == (5, 3)


def test_the_input_stands_in_the_output_as_it_was_written(house: House, tmp_path: Path) -> None:
    version = trained(house, tmp_path, "aws-popularity-count")
    source = write_lines(tmp_path / "in.json", ['{"userId": "ü", "note":  [1.50]}', "", "  "])
    run(house, batch_job(house, version, source, f"file://{tmp_path}/out"))
    (line,) = (tmp_path / "out" / "in.json.out").read_text().splitlines()
    assert line.startswith('{"input":{"userId": "ü", "note":  [1.50]},"output"')


def test_a_filter_takes_the_values_of_each_line_and_events_since_the_training(house: House, tmp_path: Path) -> None:
    version = trained(house, tmp_path, "aws-popularity-count")
    seen = arn("filter/seen")
    expression = "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($KIND)"
    house.add(
        seen, "filter", None, "ACTIVE", {"datasetGroupArn": arn("dataset-group/films"), "filterExpression": expression}
    )
    plain = write_lines(tmp_path / "plain.json", [{"userId": "visitor"}])
    run(house, batch_job(house, version, plain, f"file://{tmp_path}/out", "plain"))
    (best,) = read_lines(tmp_path / "out" / "plain.json.out")
    first = best["output"]["recommendedItems"][0]
    put_event(house, "visitor", first)
    values = [{"KIND": '"watch"'}, {"KIND": '"buy"'}, {"OTHER": "1"}]
    lines = [{"userId": "visitor", "filterValues": value} for value in values]
    source = write_lines(tmp_path / "in.json", lines)
    run(house, batch_job(house, version, source, f"file://{tmp_path}/out", filterArn=seen))
    without, with_it, refused = read_lines(tmp_path / "out" / "in.json.out")
    assert first not in without["output"]["recommendedItems"]
    assert with_it["output"]["recommendedItems"][0] == first
    assert "OTHER" in refused["error"]


def test_a_place_without_input_fails_in_the_services_words(house: House, tmp_path: Path) -> None:
    version = trained(house, tmp_path, "aws-popularity-count")
    job = batch_job(house, version, f"file://{tmp_path}/nothing/", f"file://{tmp_path}/out")
    assert run(house, job) == "FAILED"
    status, reason = house.status(JOB)
    assert status == "CREATE FAILED"
    assert str(reason).startswith("Invalid S3 input path.")


def test_working_files_are_gone_at_the_end(house: House, tmp_path: Path) -> None:
    version = trained(house, tmp_path, "aws-popularity-count")
    source = write_lines(tmp_path / "in.json", [json.dumps({"userId": "a"})])
    run(house, batch_job(house, version, source, f"file://{tmp_path}/out"))
    assert list(house.workshop.scratch.iterdir()) == []
