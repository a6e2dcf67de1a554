namespace SignalHarvester.Backup;

/// <summary>Whose a file is on Unix, and who else is let in.</summary>
/// <param name="UserId">The number of the user that it belongs to.</param>
/// <param name="User">That user's name; null where the number has none.</param>
/// <param name="GroupId">The number of its group.</param>
/// <param name="Group">That group's name; null where the number has none.</param>
/// <param name="Mode">What owner, group and others may do.</param>
/// <param name="Attributes">Extended attributes, by their full names: the ACL, the SELinux label, and those of users.</param>
internal sealed record FileAccessRecord(
    uint UserId,
    string? User,
    uint GroupId,
    string? Group,
    UnixFileMode Mode,
    IReadOnlyDictionary<string, byte[]> Attributes);
