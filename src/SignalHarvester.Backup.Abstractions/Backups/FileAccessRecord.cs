namespace SignalHarvester.Backup;

/// <summary>The owner of a file on Unix, and the access of others.</summary>
/// <param name="UserId">The number of its user.</param>
/// <param name="User">That user's name; null if the number has none.</param>
/// <param name="GroupId">The number of its group.</param>
/// <param name="Group">That group's name; null if the number has none.</param>
/// <param name="Mode">The rights of owner, group and others.</param>
/// <param name="Attributes">Extended attributes, by their full names: the ACL, the SELinux label, and user attributes.</param>
internal sealed record FileAccessRecord(
    uint UserId,
    string? User,
    uint GroupId,
    string? Group,
    UnixFileMode Mode,
    IReadOnlyDictionary<string, byte[]> Attributes);
