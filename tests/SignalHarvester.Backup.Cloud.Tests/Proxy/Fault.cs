namespace SignalHarvester.Backup.Cloud.Tests.Proxy;

/// <summary>The kinds of faults.</summary>
internal enum FaultKind
{
    /// <summary>The connection is reset.</summary>
    Drop,

    /// <summary>No further byte passes, and the connection stays.</summary>
    Stall,

    /// <summary>One bit of one byte is flipped.</summary>
    Corrupt,

    /// <summary>The proxy answers in place of the server, which never sees the request.</summary>
    Answer,
}

/// <summary>The fault of one request.</summary>
/// <param name="Kind">The kind of fault.</param>
/// <param name="InResponse">Whether it concerns the response.</param>
/// <param name="AfterBytes">The number of bytes of the body before it; 0 means before the first byte of the whole message, so
/// nothing of an answer arrives.</param>
/// <param name="Status">The status of the proxy's answer.</param>
/// <param name="Body">The content of the proxy's answer.</param>
internal sealed record Fault(FaultKind Kind, bool InResponse, long AfterBytes, int Status = 0, string Body = "")
{
    public static Fault DropRequest(long afterBytes) => new(FaultKind.Drop, InResponse: false, afterBytes);

    public static Fault DropResponse(long afterBytes) => new(FaultKind.Drop, InResponse: true, afterBytes);

    public static Fault StallRequest(long afterBytes) => new(FaultKind.Stall, InResponse: false, afterBytes);

    public static Fault StallResponse(long afterBytes) => new(FaultKind.Stall, InResponse: true, afterBytes);

    public static Fault CorruptRequest(long atByte) => new(FaultKind.Corrupt, InResponse: false, atByte);

    public static Fault CorruptResponse(long atByte) => new(FaultKind.Corrupt, InResponse: true, atByte);

    public static Fault Answer(int status, string body = "") => new(FaultKind.Answer, InResponse: true, 0, status, body);
}
