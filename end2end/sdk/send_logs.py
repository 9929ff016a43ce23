"""Sends a known set of log records by the OpenTelemetry SDK, with the exporters' defaults, or prints them as ECS lines.

    send_logs.py http/protobuf|grpc|ecs CORRELATION_ID

The endpoint comes from the standard variables (OTEL_EXPORTER_OTLP_ENDPOINT). Writes what it sent as JSON; ECS lines as they are.
"""

import json
import logging
import sys

LINES = 600


def by_sdk(protocol: str, correlation_id: str) -> None:
    from opentelemetry._logs import LogRecord, SeverityNumber
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource

    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    else:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

    provider = LoggerProvider(resource=Resource.create({"service.name": f"python-logs-{protocol.partition('/')[0]}"}))
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    logger = provider.get_logger("send_logs.py")
    for number in range(LINES):
        severity = SeverityNumber.ERROR if number % 10 == 0 else SeverityNumber.INFO
        attributes = {"correlation_id": correlation_id, "number": number}
        logger.emit(LogRecord(severity_number=severity, body=f"line {number} of the SDK", attributes=attributes))
    provider.shutdown()
    print(json.dumps({"lines": LINES, "errors": LINES // 10}))


def by_ecs(correlation_id: str) -> None:
    import ecs_logging

    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(ecs_logging.StdlibFormatter(extra={"service": {"name": "python-ecs"}, "labels": {"correlation_id": correlation_id}}))
    logger = logging.getLogger("send_logs")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    for number in range(20):
        logger.info("line %d of ecs-logging", number)
    try:
        raise ValueError("no such card")
    except ValueError:
        logger.exception("payment failed")


if sys.argv[1] == "ecs":
    by_ecs(sys.argv[2])
else:
    by_sdk(sys.argv[1], sys.argv[2])
