"""Makes the calls of a test with boto3.

    boto3_calls.py URL CALLS [CA_FILE]

CALLS is a JSON list of [SERVICE, METHOD, ARGUMENTS]. Prints one line of JSON a call: what the
method returned, or the exception it raised: {"exception": class, "code", "status", "message",
"members"}. An exception that is none of the service's ends the program.
"""
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def outcome(client, method, arguments):
    try:
        result = getattr(client, method)(**arguments)
    except ClientError as error:
        response = error.response
        known = ("Error", "ResponseMetadata", "message")
        return {
            "exception": type(error).__name__,
            "code": response["Error"]["Code"],
            "message": response["Error"]["Message"],
            "status": response["ResponseMetadata"]["HTTPStatusCode"],
            "request": response["ResponseMetadata"].get("RequestId"),
            "members": {name: response[name] for name in response if name not in known},
        }
    del result["ResponseMetadata"]
    return result


def main():
    url, calls = sys.argv[1], json.loads(sys.argv[2])
    options = {"endpoint_url": url, "config": Config(retries={"total_max_attempts": 1})}
    if len(sys.argv) > 3:
        options["verify"] = sys.argv[3]
    clients = {}
    for service, method, arguments in calls:
        if service not in clients:
            clients[service] = boto3.client(service, **options)
        result = outcome(clients[service], method, arguments)
        # A stamp of the control plane is a datetime.
        print(json.dumps(result, default=lambda value: value.isoformat()))


main()
