namespace SignalHarvester.Backup.Cloud.Tests.Proxy;

/// <summary>What goes wrong.</summary>
internal enum FaultKind
{
    /// <summary>The connection is reset.</summary>
    Drop,

    /// <summary>Not a byte more goes through, and the connection stays.</summary>
    Stall,

    /// <summary>One bit of one byte is turned.</summary>
    Corrupt,

    /// <summary>The proxy answers in the server's place, which never sees the request.</summary>
    Answer,
}

/// <summary>What goes wrong with one request.</summary>
/// <param name="Kind">What.</param>
/// <param name="InResponse">Whether on the way back.</param>
/// <param name="AfterBytes">After how many bytes of the body; 0 is before the first
/// byte of the whole message, so that of an answer nothing comes through.</param>
/// <param name="Status">What the proxy answers.</param>
internal sealed record Fault(FaultKind Kind, bool InResponse, long AfterBytes, int Status = 0)
{
    public static Fault DropRequest(long afterBytes) => new(FaultKind.Drop, InResponse: false, afterBytes);

    public static Fault DropResponse(long afterBytes) => new(FaultKind.Drop, InResponse: true, afterBytes);

    public static Fault StallRequest(long afterBytes) => new(FaultKind.Stall, InResponse: false, afterBytes);

    public static Fault StallResponse(long afterBytes) => new(FaultKind.Stall, InResponse: true, afterBytes);

    public static Fault CorruptRequest(long atByte) => new(FaultKind.Corrupt, InResponse: false, atByte);

    public static Fault CorruptResponse(long atByte) => new(FaultKind.Corrupt, InResponse: true, atByte);

    public static Fault Answer(int status) => new(FaultKind.Answer, InResponse: true, 0, status);
}
