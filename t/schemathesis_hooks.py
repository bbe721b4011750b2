"""What schemathesis must be told for t/0475: how NDJSON is sent."""
import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(_ctx, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
