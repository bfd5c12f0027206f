"""The cloud on this machine: MiniStack with both stacks deployed, for as long as this process lives.

    cloud.py up --state-dir DIR --binaries DIR [...]

Prints ONE line of JSON on stdout when everything is ready, then obeys commands, one per line on stdin:

    restart   ends MiniStack as a machine that is rebooted in good order and starts it again: tables, queues and secrets
              are as before, running executions are lost. Answers {"restarted": true, "ministack_pid": n}.
    stop      ends; so does the end of stdin.

All that it writes lies in the state folder: `logs/` (MiniStack, one file per function, sam), `cloud.json` (the line that
it prints), `tmp/` and `state/`. What an earlier run left there is removed at the start. Exit code 0 after `stop`, 1 after
any failure, with the place to look on stderr.
"""

import argparse
import fcntl
import importlib.util
import io
import json
import os
import platform
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
REGION = "eu-central-1"
BUCKET = "interplant-artifacts"

# On two busy cores the start takes a few seconds, a deployment less than ten.
READY_SECONDS = 90
DEPLOY_SECONDS = 180


class Failed(Exception):
    """Ends the run; the text says what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the cloud and keep it until stdin ends")
    up.add_argument("--state-dir", type=Path, required=True, help="folder for state and logs, one per running cloud")
    up.add_argument(
        "--binaries",
        type=Path,
        help="folder with the functions' binaries: <package>, or <package>/bootstrap",
    )
    up.add_argument("--name", default="interplant", help="name of the installation (%(default)s)")
    up.add_argument("--probe-seconds", type=int, default=2, help="see ProbeSeconds (%(default)s)")
    up.add_argument("--slow-step-seconds", type=int, default=5, help="see SlowStepSeconds (%(default)s)")
    up.add_argument("--tick-seconds", type=int, default=1, help="see TickSeconds in application.yaml (%(default)s)")
    up.add_argument("--check-seconds", type=int, default=3, help="see CheckSeconds in application.yaml (%(default)s)")
    up.add_argument("--odoo-request-limit-seconds", type=int, default=3, help="see application.yaml (%(default)s)")
    up.add_argument("--anchor-seconds", type=int, default=1, help="see AnchorSeconds in application.yaml (%(default)s)")
    up.add_argument("--log-level", default="info", help="RUST_LOG of the functions (%(default)s)")
    up.add_argument(
        "--wait-scale",
        type=float,
        default=0.1,
        help="factor on retry intervals and Wait states of Step Functions; timeouts stay (%(default)s)",
    )
    up.add_argument("--no-iam", action="store_true", help="let the functions do what their roles do not allow")
    how = up.add_mutually_exclusive_group()
    how.add_argument("--empty", action="store_true", help="deploy nothing")
    how.add_argument("--sam", action="store_true", help="deploy what `sam build` made, with `sam deploy`")
    options = parser.parse_args()
    if not (options.empty or options.sam or options.binaries):
        parser.error("--binaries is needed, or one of --empty, --sam")

    for module in ("ministack", "boto3"):
        if importlib.util.find_spec(module) is None:
            print("cloud.py: run infra/local/install cloud, then use .venv/cloud/bin/python", file=sys.stderr)
            return 1

    # Both end the run in the same way as `stop`.
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: sys.exit(0))
    cloud = Cloud(options)
    try:
        cloud.up()
        return 0
    except Failed as failure:
        print(f"cloud.py: {failure}", file=sys.stderr)
        return 1
    except Exception as error:
        # An answer of the cloud that nobody expected: MiniStack's log says more than a traceback of the client.
        print(f"cloud.py: {type(error).__name__}: {error}\nsee {cloud.logs}", file=sys.stderr)
        return 1
    finally:
        cloud.end()


class Cloud:
    def __init__(self, options):
        self.options = options
        self.folder = options.state_dir.resolve()
        self.logs = self.folder / "logs"
        self.guard = None
        self.pid = None
        self.lock = None

    def up(self) -> None:
        self.prepare()
        self.start()
        if self.options.sam:
            self.deploy_with_sam()
        elif not self.options.empty:
            self.deploy()
        ready = self.describe()
        (self.folder / "cloud.json").write_text(json.dumps(ready, indent=2) + "\n")
        answer(ready)
        self.obey()

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lock = open(self.folder / "lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed(f"a cloud is already running in {self.folder}") from None
        for name in ("logs", "s3", "state", "tmp"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir()
        for name in ("cloud.json", "api-id"):
            (self.folder / name).unlink(missing_ok=True)
        # Bound here and handed down: nobody else can take the ports, not even while MiniStack restarts.
        self.sockets = [listen(), listen()]
        self.port, self.api_port = (s.getsockname()[1] for s in self.sockets)
        self.endpoint = f"http://127.0.0.1:{self.port}"

    # ---- MiniStack ----

    def start(self) -> None:
        with open(self.logs / "ministack.log", "ab") as log:
            self.guard = subprocess.Popen(
                [sys.executable, HERE / "launcher.py"],
                cwd=self.folder,
                env=self.ministack_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=[s.fileno() for s in self.sockets],
                # Out of reach of a signal to our group: the guard has to outlive us to clean up.
                start_new_session=True,
            )
        self.pid = int(self.guard.stdout.readline() or 0)
        deadline = time.monotonic() + READY_SECONDS
        while not self.healthy():
            if self.guard.poll() is not None:
                raise Failed(f"MiniStack did not start, see {self.logs / 'ministack.log'}\n{self.tail()}")
            if time.monotonic() > deadline:
                raise Failed(f"MiniStack is not ready after {READY_SECONDS} s, see {self.logs / 'ministack.log'}\n{self.tail()}")
            time.sleep(0.05)

    def ministack_environment(self) -> dict:
        """All of it also reaches the functions, so nothing of the caller's environment is in it, and the home folder is
        an empty one: no profile of a real account can be read."""
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.folder / "tmp"),
            "TMPDIR": str(self.folder / "tmp"),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.folder / "state"),
            # State is tables and queues; objects of buckets are kept apart.
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.folder / "s3"),
            # Both would open a fixed port on every interface.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "SFN_WAIT_SCALE": str(self.options.wait_scale),
            "AUTH": "false" if self.options.no_iam else "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            **CREDENTIALS,
            "INTERPLANT_LAUNCHER": json.dumps(
                {
                    "fds": [s.fileno() for s in self.sockets],
                    "api_port": self.api_port,
                    "api_id_file": str(self.folder / "api-id"),
                    "logs": str(self.logs),
                }
            ),
        }
        # Tests stop a function at a named point through files in this folder.
        if "INTERPLANT_FAILPOINTS" in os.environ:
            environment["INTERPLANT_FAILPOINTS"] = os.environ["INTERPLANT_FAILPOINTS"]
        return environment

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2) as response:
                return response.status == 200
        except OSError:
            return False

    def tail(self) -> str:
        lines = (self.logs / "ministack.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])

    def restart(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        try:
            self.guard.wait(timeout=60)
        except subprocess.TimeoutExpired:
            raise Failed("MiniStack did not end on SIGTERM") from None
        self.start()

    def end(self) -> None:
        if self.guard is not None:
            self.guard.stdin.close()
            self.guard.wait()
        if self.lock is not None:
            self.lock.close()

    # ---- Commands ----

    def obey(self) -> None:
        lines: queue.Queue = queue.Queue()

        def read():
            for line in sys.stdin:
                lines.put(line.strip())
            lines.put("stop")

        threading.Thread(target=read, daemon=True).start()
        while True:
            try:
                command = lines.get(timeout=0.2)
            except queue.Empty:
                if self.guard.poll() is not None:
                    raise Failed(f"MiniStack ended by itself, see {self.logs / 'ministack.log'}\n{self.tail()}") from None
                continue
            if command == "stop":
                return
            if command == "restart":
                self.restart()
                answer({"restarted": True, "ministack_pid": self.pid})
            elif command:
                answer({"error": f"unknown command {command!r}: restart or stop"})

    # ---- Deployment ----

    def client(self, service: str):
        import boto3
        from botocore.config import Config

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
        )

    def parameters(self, stack: str) -> dict:
        if stack == "state":
            return {"Name": self.options.name}
        return {
            "Name": self.options.name,
            "Architecture": host_architecture(),
            "LogLevel": self.options.log_level,
            "TickSeconds": str(self.options.tick_seconds),
            "CheckSeconds": str(self.options.check_seconds),
            "AnchorSeconds": str(self.options.anchor_seconds),
            "OdooRequestLimitSeconds": str(self.options.odoo_request_limit_seconds),
            "ProbeSeconds": str(self.options.probe_seconds),
            "SlowStepSeconds": str(self.options.slow_step_seconds),
            **self.issuer(),
        }

    def issuer(self) -> dict:
        """An issuer of tokens for this cloud alone: a new key at each start, of which only this folder has the private part."""
        from base64 import b64encode, urlsafe_b64encode

        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = Ed25519PrivateKey.generate()
        path = self.folder / "operator-key.pem"
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
            )
        public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        x = urlsafe_b64encode(public).rstrip(b"=").decode()
        keys = {"keys": [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "development", "x": x}]}
        return {
            "OperatorIssuer": "urn:interplant:development",
            "OperatorAudience": "interplant",
            "OperatorKeys": "data:application/json;base64," + b64encode(json.dumps(keys).encode()).decode(),
        }

    def stack_name(self, stack: str) -> str:
        return f"{self.options.name}-{stack}"

    def deploy(self) -> None:
        """What `sam package` and CloudFormation do, without building: binaries are taken as they are."""
        s3 = self.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        application = load_template(PROJECT / "infra" / "application.yaml")
        uploaded: dict[str, str] = {}

        def upload(name: str, content) -> str:
            if name not in uploaded:
                s3.put_object(Bucket=BUCKET, Key=name, Body=content())
                uploaded[name] = f"s3://{BUCKET}/{name}"
            return uploaded[name]

        # A plant of a test listens on this machine. No template has this variable.
        outbox = application["Resources"]["OutboxPush"]["Properties"]
        outbox["Environment"] = {"Variables": {"INTERPLANT_WEBHOOK_LOOPBACK": "1"}}
        # Tokens of this cloud's own key. No template has this variable either.
        operator = application["Resources"]["OperatorApi"]["Properties"]
        operator["Environment"] = {"Variables": {"INTERPLANT_DEVELOPMENT_ISSUER": "1"}}

        for resource in application["Resources"].values():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::Serverless::Function":
                package = resource["Metadata"]["BuildProperties"]["Binary"]
                properties["CodeUri"] = upload(f"{package}.zip", lambda: zipped(self.binary(package)))
            elif resource["Type"] == "AWS::Serverless::StateMachine":
                definition = PROJECT / "infra" / properties["DefinitionUri"]
                properties["DefinitionUri"] = upload(definition.name, definition.read_bytes)
        self.create_stack("state", load_template(PROJECT / "infra" / "state.yaml"))
        self.create_stack("application", application)

    def binary(self, package: str) -> Path:
        folder = self.options.binaries
        for candidate in (folder / package / "bootstrap", folder / package):
            if candidate.is_file():
                return candidate
        raise Failed(f"no binary of package {package} in {folder}: build it first (`cargo build`)")

    def create_stack(self, stack: str, template: dict) -> None:
        cloudformation = self.client("cloudformation")
        name = self.stack_name(stack)
        # By way of the bucket, as SAM does it: a template in the request itself has at most 51,200 bytes.
        key = f"{name}.json"
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps(template, separators=(",", ":")))
        cloudformation.create_stack(
            StackName=name,
            TemplateURL=f"https://s3.amazonaws.com/{BUCKET}/{key}",
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in self.parameters(stack).items()],
        )
        deadline = time.monotonic() + DEPLOY_SECONDS
        while True:
            status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
            if status == "CREATE_COMPLETE":
                return
            if "FAILED" in status or "ROLLBACK" in status or time.monotonic() > deadline:
                events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
                reasons = [
                    f"  {e['LogicalResourceId']}: {e['ResourceStatusReason']}"
                    for e in events
                    if "FAILED" in e["ResourceStatus"] and e.get("ResourceStatusReason")
                ]
                raise Failed("\n".join([f"stack {name} is {status}", *reasons, f"see {self.logs / 'ministack.log'}"]))
            time.sleep(0.1)

    def deploy_with_sam(self) -> None:
        """The way a real account goes: what `sam build` made, by `sam deploy`, through samconfig.toml."""
        sam = PROJECT / ".venv" / "sam" / "bin" / "sam"
        if not sam.exists():
            raise Failed("`sam` is not installed: run infra/local/install sam")
        environment = {
            "PATH": f"{sam.parent}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(self.folder / "tmp"),
            "LANG": "C.UTF-8",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "1",
            **CREDENTIALS,
        }
        for stack in ("state", "application"):
            overrides = [f"{key}={value}" for key, value in self.parameters(stack).items()]
            log = self.logs / f"sam-{stack}.log"
            with open(log, "wb") as output:
                code = subprocess.run(
                    [sam, "deploy", "--config-env", stack, "--stack-name", self.stack_name(stack)]
                    + ["--region", REGION, "--no-progressbar", "--no-confirm-changeset", "--no-fail-on-empty-changeset"]
                    + ["--parameter-overrides", *overrides],
                    cwd=PROJECT,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                ).returncode
            if code:
                raise Failed(f"`sam deploy` of the {stack} stack failed, see {log}")

    def describe(self) -> dict:
        ready = {
            "endpoint": self.endpoint,
            "region": REGION,
            "access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"],
            "secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            "logs": str(self.logs),
            "ministack_pid": self.pid,
        }
        if self.options.empty:
            return ready
        cloudformation = self.client("cloudformation")
        outputs = {
            output["OutputKey"]: output["OutputValue"]
            for stack in ("state", "application")
            for output in cloudformation.describe_stacks(StackName=self.stack_name(stack))["Stacks"][0]["Outputs"]
        }
        (self.folder / "api-id").write_text(outputs["ApiId"])
        return ready | {
            "api": f"http://127.0.0.1:{self.api_port}",
            "inbox_table": outputs["InboxTableName"],
            "lifecycle_table": outputs["LifecycleTableName"],
            "plant_table": outputs["PlantTableName"],
            "file_table": outputs["FileTableName"],
            "file_bucket": outputs["FileBucketName"],
            "outbox_table": outputs["OutboxTableName"],
            "outbox_queue_url": outputs["OutboxQueueUrl"],
            "audit_table": outputs["AuditTableName"],
            "audit_queue_url": outputs["AuditQueueUrl"],
            "route_queue_url": outputs["RouteQueueUrl"],
            "route_dead_letters_url": outputs["RouteDeadLettersUrl"],
            "tick_queue_url": outputs["TickQueueUrl"],
            "watch_queue_url": outputs["WatchQueueUrl"],
            "import_queue_url": outputs["ImportQueueUrl"],
            "job_queue_url": outputs["JobQueueUrl"],
            "tick_dead_letters_url": outputs["TickDeadLettersUrl"],
            "state_machine_arn": outputs["PurchaseOrderArn"],
        }


# The root user of account 000000000000.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


def answer(message: dict) -> None:
    print(json.dumps(message), flush=True)


def listen() -> socket.socket:
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen(128)
    return made


def host_architecture() -> str:
    return "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"


def zipped(binary: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, binary.read_bytes(), compresslevel=1)
    return content.getvalue()


def load_template(path: Path) -> dict:
    """YAML with CloudFormation's short tags, as the JSON form that CreateStack takes."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    def long_form(loader, suffix, node):
        if isinstance(node, yaml.ScalarNode):
            value = loader.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            value = loader.construct_mapping(node, deep=True)
        if suffix == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}

    Loader.add_multi_constructor("!", long_form)
    return yaml.load(path.read_text(), Loader)


if __name__ == "__main__":
    sys.exit(main())
