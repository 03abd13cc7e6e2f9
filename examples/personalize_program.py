"""A program as people write it for Amazon Personalize; nothing in it knows of Matinee.

    python examples/personalize_program.py interactions.csv my-bucket

interactions.csv has the columns USER_ID, ITEM_ID, TIMESTAMP and EVENT_TYPE. Against the real service it runs as it is.
Against Matinee, set the endpoint of the three Personalize APIs and of the S3, IAM and STS that hold your data, here
moto's:

    export AWS_ENDPOINT_URL=http://127.0.0.1:8765
    export AWS_ENDPOINT_URL_S3=http://127.0.0.1:5000
    export AWS_ENDPOINT_URL_IAM=$AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_STS=$AWS_ENDPOINT_URL_S3
"""

import json
import os
import sys
import time

import boto3

POLL_SECONDS = float(os.environ.get("POLL_SECONDS", "20"))

personalize = boto3.client("personalize")
runtime = boto3.client("personalize-runtime")
events = boto3.client("personalize-events")
s3 = boto3.client("s3")
iam = boto3.client("iam")
account = boto3.client("sts").get_caller_identity()["Account"]
region = personalize.meta.region_name


def wait(describe, member, **arn):
    """Poll as the service's samples do."""
    limit = time.time() + 3 * 60 * 60
    while time.time() < limit:
        status = describe(**arn)[member]["status"]
        print(f"{member}: {status}")
        if status in ("ACTIVE", "CREATE FAILED"):
            break
        time.sleep(POLL_SECONDS)
    if status != "ACTIVE":
        raise SystemExit(f"{member} is {status}: {describe(**arn)[member].get('failureReason')}")


def upload(path, bucket):
    """The data, and the two permissions that the service asks for."""
    elsewhere = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **elsewhere)
    s3.upload_file(path, bucket, "interactions.csv")
    statement = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    s3.put_bucket_policy(
        Bucket=bucket,
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{**statement, "Principal": {"Service": "personalize.amazonaws.com"}}],
            }
        ),
    )
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "personalize.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = iam.create_role(RoleName=f"{bucket}-role", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(
        RoleName=f"{bucket}-role",
        PolicyName="read",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    time.sleep(POLL_SECONDS)  # it takes a while until a new role is known everywhere
    return role


def main(path, bucket):
    """From a CSV file to recommendations that follow an event."""
    role_arn = upload(path, bucket)

    schema = {
        "type": "record",
        "name": "Interactions",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [
            {"name": "USER_ID", "type": "string"},
            {"name": "ITEM_ID", "type": "string"},
            {"name": "TIMESTAMP", "type": "long"},
            {"name": "EVENT_TYPE", "type": "string"},
        ],
        "version": "1.0",
    }
    schema_arn = personalize.create_schema(name="films-interactions", schema=json.dumps(schema))["schemaArn"]
    try:
        group_arn = personalize.create_dataset_group(name="films")["datasetGroupArn"]
    except personalize.exceptions.ResourceAlreadyExistsException:
        group_arn = f"arn:aws:personalize:{region}:{account}:dataset-group/films"
    wait(personalize.describe_dataset_group, "datasetGroup", datasetGroupArn=group_arn)
    dataset_arn = personalize.create_dataset(
        name="films-interactions", datasetType="INTERACTIONS", datasetGroupArn=group_arn, schemaArn=schema_arn
    )["datasetArn"]
    wait(personalize.describe_dataset, "dataset", datasetArn=dataset_arn)
    job_arn = personalize.create_dataset_import_job(
        jobName="films-import",
        datasetArn=dataset_arn,
        dataSource={"dataLocation": f"s3://{bucket}/interactions.csv"},
        roleArn=role_arn,
    )["datasetImportJobArn"]
    wait(personalize.describe_dataset_import_job, "datasetImportJob", datasetImportJobArn=job_arn)

    campaigns = {}
    for recipe in ("aws-user-personalization-v2", "aws-sims", "aws-popularity-count"):
        solution_arn = personalize.create_solution(
            name=f"films-{recipe}",
            datasetGroupArn=group_arn,
            recipeArn=f"arn:aws:personalize:::recipe/{recipe}",
            performAutoTraining=False,
        )["solutionArn"]
        version_arn = personalize.create_solution_version(solutionArn=solution_arn)["solutionVersionArn"]
        wait(personalize.describe_solution_version, "solutionVersion", solutionVersionArn=version_arn)
        print(json.dumps(personalize.get_solution_metrics(solutionVersionArn=version_arn)["metrics"], indent=2))
        campaigns[recipe] = personalize.create_campaign(
            name=f"films-{recipe}", solutionVersionArn=version_arn, minProvisionedTPS=1
        )["campaignArn"]
    for campaign_arn in campaigns.values():
        wait(personalize.describe_campaign, "campaign", campaignArn=campaign_arn)

    personal = campaigns["aws-user-personalization-v2"]
    before = runtime.get_recommendations(campaignArn=personal, userId="1", numResults=10)["itemList"]
    print("before", [item["itemId"] for item in before])

    tracker = personalize.create_event_tracker(name="films", datasetGroupArn=group_arn)
    for item in reversed(before[:3]):
        events.put_events(
            trackingId=tracker["trackingId"],
            userId="1",
            sessionId="s1",
            eventList=[
                {"eventType": "watch", "sentAt": int(time.time()), "properties": json.dumps({"itemId": item["itemId"]})}
            ],
        )
    time.sleep(POLL_SECONDS)  # recommendations follow events within seconds
    after = runtime.get_recommendations(campaignArn=personal, userId="1", numResults=10)["itemList"]
    print("after", [item["itemId"] for item in after])
    similar = runtime.get_recommendations(campaignArn=campaigns["aws-sims"], itemId=before[0]["itemId"], numResults=5)
    print("similar", [item["itemId"] for item in similar["itemList"]])
    popular = runtime.get_recommendations(campaignArn=campaigns["aws-popularity-count"], userId="1")
    print("popular", [item["itemId"] for item in popular["itemList"]])


if __name__ == "__main__":
    main(*sys.argv[1:])
