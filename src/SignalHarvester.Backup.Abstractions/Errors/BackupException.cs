namespace SignalHarvester.Backup;

/// <summary>
/// A fault with a stable id, a category, the item concerned and a sentence that says what to do.
/// Cmdlets turn it into an ErrorRecord with the same id, category and target.
/// </summary>
public sealed class BackupException : Exception
{
    /// <summary>Makes an error with the category of its id.</summary>
    /// <param name="errorId">A constant of <see cref="BackupErrorId"/>.</param>
    /// <param name="target">The path, backup id or value concerned.</param>
    /// <param name="message">What happened and what to do. Never contains a secret.</param>
    /// <param name="innerException">The underlying fault, if any.</param>
    public BackupException(string errorId, object? target, string message, Exception? innerException = null)
        : this(errorId, BackupErrorCategories.Of(errorId), target, message, innerException)
    {
    }

    /// <summary>Makes an error with another category than its id's.</summary>
    /// <param name="errorId">A constant of <see cref="BackupErrorId"/>.</param>
    /// <param name="category">The kind of fault.</param>
    /// <param name="target">The path, backup id or value concerned.</param>
    /// <param name="message">What happened and what to do. Never contains a secret.</param>
    /// <param name="innerException">The underlying fault, if any.</param>
    public BackupException(
        string errorId,
        BackupErrorCategory category,
        object? target,
        string message,
        Exception? innerException = null)
        : base(message, innerException)
    {
        ErrorId = errorId;
        Category = category;
        Target = target;
    }

    /// <summary>An argument that a command cannot use: <see cref="BackupErrorId.InvalidArgument"/>.</summary>
    /// <param name="target">The value, or the parameter.</param>
    /// <param name="message">Why it cannot be used, and which values can.</param>
    /// <param name="innerException">The underlying fault, if any.</param>
    public static BackupException InvalidArgument(object? target, string message, Exception? innerException = null) =>
        new(BackupErrorId.InvalidArgument, target, message, innerException);

    /// <summary>The stable id, one of <see cref="BackupErrorId"/>.</summary>
    public string ErrorId { get; }

    /// <summary>The kind of fault.</summary>
    public BackupErrorCategory Category { get; }

    /// <summary>The path, backup id or value concerned.</summary>
    public object? Target { get; }
}
