namespace SignalHarvester.Backup;

/// <summary>The kind of fault. The names are those of PowerShell's ErrorCategory, so they map one to one.</summary>
public enum BackupErrorCategory : long
{
    /// <summary>The kind is not known.</summary>
    NotSpecified,

    /// <summary>A given value is not valid.</summary>
    InvalidArgument,

    /// <summary>Data is damaged or not of the expected form.</summary>
    InvalidData,

    /// <summary>The request does not fit the present state.</summary>
    InvalidOperation,

    /// <summary>The item does not exist.</summary>
    ObjectNotFound,

    /// <summary>The operating system denied access.</summary>
    PermissionDenied,

    /// <summary>Something else holds the item.</summary>
    ResourceBusy,

    /// <summary>Space or another resource ran out.</summary>
    ResourceUnavailable,

    /// <summary>Reading failed.</summary>
    ReadError,

    /// <summary>Writing failed.</summary>
    WriteError,

    /// <summary>A security rule was broken, by a hostile sidecar for example.</summary>
    SecurityError,

    /// <summary>The item is of a kind that is not supported.</summary>
    NotImplemented,

    /// <summary>A check did not give the expected result.</summary>
    InvalidResult,

    /// <summary>Something of that name exists already.</summary>
    ResourceExists,

    /// <summary>The caller's identity could not be proved.</summary>
    AuthenticationError,

    /// <summary>A service cannot be reached, or does not work.</summary>
    ConnectionError,
}
