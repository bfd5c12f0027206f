"""Runs one MiniStack, so that it cannot be left behind, and mends what would make it slow or untrue.

Started by cloud.py, never by hand. Two processes:

* The guard (this process) holds the pipe from cloud.py. When cloud.py ends, however it ends, the pipe closes: the guard
  stops MiniStack and kills what is left of its process group, function processes included.
* MiniStack runs in a forked child with a process group of its own.

What is mended, each for a reason that README.md in this folder explains, all of it private to the pinned version: the
runtime API's Nagle stall, the wait for log lines, JSONata's one second, callback tasks and the permission to answer them,
late ticks, numbers that come as text, too many processes. Functions' output goes to `<logs>/<function>.log`.
"""

import asyncio
import ctypes
import importlib.metadata
import json
import logging
import os
import select
import signal
import sys
import threading
import time
from pathlib import Path

VERSION = "1.5.33"

PROCESSES_PER_FUNCTION = 8


def guard(child: int) -> int:
    """Waits for MiniStack to end or for cloud.py to be gone; leaves no process behind."""
    watch = [0]
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            kill_group(child)
            reap()
            return os.waitstatus_to_exitcode(status)
        # Nothing is ever written to the pipe: readable means closed.
        if select.select(watch, [], [], 0.05)[0]:
            watch = []
            kill_group(child)


def kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def reap() -> None:
    """Function processes lose their parent when MiniStack ends; see adopt_orphans."""
    try:
        while True:
            os.wait()
    except ChildProcessError:
        pass


def prctl(option: int, value: int) -> None:
    """Linux only. Elsewhere a guard that is killed by -9 leaves MiniStack running, and the system reaps the orphans."""
    try:
        ctypes.CDLL(None).prctl(option, value)
    except (OSError, AttributeError):
        pass


def die_with_guard() -> None:
    prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def adopt_orphans() -> None:
    prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def main() -> None:
    settings = json.loads(os.environ.pop("INTERPLANT_LAUNCHER"))
    # Ctrl-C in a terminal reaches the whole foreground group; cloud.py decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopt_orphans()
    child = os.fork()
    if child:
        os.setpgid(child, child)
        print(child, flush=True)
        sys.exit(abs(guard(child)))
    os.setpgid(0, 0)
    die_with_guard()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    serve(settings)


def serve(settings: dict) -> None:
    found = importlib.metadata.version("ministack")
    if found != VERSION:
        sys.exit(f"launcher.py was written for MiniStack {VERSION}, found {found}: read its mends again before use")

    import socketserver

    # Two small writes per answer of the Lambda runtime API meet delayed acknowledgement: 40 ms for every call.
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True

    # app.main() would bind one port; the API gets one of its own, so the server is started here.
    from hypercorn.asyncio import serve as hypercorn
    from hypercorn.config import Config
    from ministack import app as ministack
    from ministack.core import iam_actions, lambda_runtime
    from ministack.services import lambda_svc, stepfunctions

    write_function_logs(lambda_runtime, Path(settings["logs"]))
    mend_callback_tasks(stepfunctions, iam_actions)
    give_jsonata_time()
    read_concurrency_as_number(lambda_svc)
    queue_calls_of_a_function(lambda_svc)
    deliver_delayed_messages_soon()

    config = Config()
    config.bind = [f"fd://{fd}" for fd in settings["fds"]]
    config.keep_alive_timeout = 75
    config.loglevel = "INFO"
    app = api_on_its_own_port(ministack.app, settings["api_port"], Path(settings["api_id_file"]))
    asyncio.run(hypercorn(app, config))
    # Threads of executions that wait for a token are no reason to stay.
    logging.shutdown()
    os._exit(0)


def api_on_its_own_port(app, api_port: int, api_id_file: Path):
    """Serves the HTTP API at the root of its port, as AWS does at its host name.

    MiniStack wants the API's id in the path or in a host name that not every resolver knows. With a port of its own the
    path that a client signs is the path that the function sees.
    """

    async def routed(scope, receive, send):
        if scope["type"] == "http" and (scope.get("server") or (None, None))[1] == api_port:
            try:
                prefix = f"/_aws/execute-api/{api_id_file.read_text()}/$default"
            except FileNotFoundError:
                prefix = "/_aws/execute-api/none-yet/$default"
            scope = dict(scope, path=prefix + scope["path"], raw_path=prefix.encode() + scope["raw_path"])
        await app(scope, receive, send)

    return routed


def write_function_logs(lambda_runtime, logs: Path) -> None:
    """Every line of a function goes to a file when it is written, also of one that never answers."""
    worker = lambda_runtime.ProvidedWorker
    pump = worker._pump_output

    class Tee:
        def __init__(self, stream, path: Path):
            self.stream = stream
            self.file = open(path, "ab", buffering=0)

        def readline(self):
            line = self.stream.readline()
            if line:
                self.file.write(line)
            return line

        def close(self):
            self.file.close()
            self.stream.close()

    def pump_and_write(self, stream, log_queue):
        pump(self, Tee(stream, logs / f"{self.func_name}.log"), log_queue)

    worker._pump_output = pump_and_write
    # MiniStack waits up to 50 ms after each answer for lines to put into CloudWatch Logs. The files have them already.
    worker._drain_stderr_bounded = lambda self, **_: self._drain_stderr()


def mend_callback_tasks(stepfunctions, iam_actions) -> None:
    """Three things of `.waitForTaskToken` as AWS has them.

    A Lambda that fails fails the task at once; MiniStack would wait for the token until the timeout. The token of a
    stopped execution is refused; MiniStack would take the answer and drop it. SendTaskSuccess is allowed or refused by
    the state machine that the token belongs to; MiniStack knows no resource for it and would refuse every narrow role.
    """
    execute, stop = stepfunctions._execute_task, stepfunctions._stop_execution
    invoke, call = stepfunctions._invoke_with_callback, stepfunctions._call_lambda
    resource_arn = iam_actions.extract_resource_arn
    current = threading.local()
    token_of_execution: dict[str, str] = {}
    machine_of_token: dict[str, str] = {}

    def execute_task(state_def, raw_input, execution, ctx):
        current.execution = execution or {}
        return execute(state_def, raw_input, execution, ctx)

    def invoke_with_callback(resource, input_data, token, state_def):
        current.token = token
        token_of_execution[current.execution.get("executionArn")] = token
        machine_of_token[token] = current.execution.get("stateMachineArn")
        try:
            return invoke(resource, input_data, token, state_def)
        finally:
            current.token = None

    def call_lambda(func_ref, event):
        try:
            return call(func_ref, event)
        except stepfunctions._ExecutionError as failure:
            waiting = stepfunctions._task_tokens.get(getattr(current, "token", None))
            if waiting and not waiting["event"].is_set():
                waiting["error"] = {"Error": failure.error, "Cause": failure.cause}
                waiting["event"].set()
            raise

    def stop_execution(data):
        answer = stop(data)
        stepfunctions._task_tokens.pop(token_of_execution.pop(data.get("executionArn"), None), None)
        return answer

    def extract_resource_arn(service, method, path, headers, body, *others):
        if service == "states" and ".SendTask" in headers.get("x-amz-target", ""):
            # A token from before a restart is unknown here. AWS reads the machine out of the token itself.
            any_machine = next(iter(stepfunctions._state_machines), "*")
            return machine_of_token.get(json.loads(body).get("taskToken"), any_machine)
        return resource_arn(service, method, path, headers, body, *others)

    iam_actions.extract_resource_arn = extract_resource_arn
    stepfunctions._execute_task = execute_task
    stepfunctions._invoke_with_callback = invoke_with_callback
    stepfunctions._call_lambda = call_lambda
    stepfunctions._stop_execution = stop_execution


def give_jsonata_time() -> None:
    """One second of wall-clock time per expression is AWS's limit for a machine that does nothing else."""
    import jsonata

    parse = jsonata.Jsonata.jsonata
    jsonata.Jsonata.jsonata = staticmethod(lambda expression, timeout=None: parse(expression, timeout=60_000))


def read_concurrency_as_number(lambda_svc) -> None:
    """MaximumConcurrency that comes from a stack parameter stays text, and the comparison ends all polling of queues."""
    concurrency = lambda_svc._sqs_esm_concurrency

    def as_number(esm, *others):
        scaling = esm.get("ScalingConfig") or {}
        if isinstance(scaling.get("MaximumConcurrency"), str):
            scaling["MaximumConcurrency"] = int(scaling["MaximumConcurrency"])
        return concurrency(esm, *others)

    lambda_svc._sqs_esm_concurrency = as_number


def queue_calls_of_a_function(lambda_svc) -> None:
    """More than a few processes of one function wait for each other's processor time; more calls wait here instead.

    MiniStack would start one process for every call that finds no idle one, and keep it for minutes.
    """
    execute = lambda_svc._execute_function_provided_warm
    rooms: dict[str, threading.Semaphore] = {}
    lock = threading.Lock()

    def execute_in_turn(func, event, request_id):
        name = (func.get("config") or func).get("FunctionName")
        with lock:
            room = rooms.setdefault(name, threading.Semaphore(PROCESSES_PER_FUNCTION))
        with room:
            return execute(func, event, request_id)

    lambda_svc._execute_function_provided_warm = execute_in_turn


def deliver_delayed_messages_soon() -> None:
    """Looks for messages whose delay is over five times a second instead of once."""
    from ministack.core.concurrency import esm_wake

    def wake():
        while True:
            time.sleep(0.2)
            esm_wake.set()

    threading.Thread(target=wake, daemon=True).start()


if __name__ == "__main__":
    main()
