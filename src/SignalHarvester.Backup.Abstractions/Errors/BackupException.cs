namespace SignalHarvester.Backup;

/// <summary>
/// A fault with a stable id, a category, the item concerned and a sentence that says what to do.
/// Cmdlets turn it into an ErrorRecord with the same id, category and target.
/// </summary>
public sealed class BackupException : Exception
{
    /// <summary>Makes an error.</summary>
    /// <param name="errorId">A constant of <see cref="BackupErrorId"/>.</param>
    /// <param name="category">The kind of fault.</param>
    /// <param name="target">The path, backup id or value concerned.</param>
    /// <param name="message">What happened and what to do. Never holds a secret.</param>
    /// <param name="innerException">The fault underneath, where there is one.</param>
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

    /// <summary>The stable id, one of <see cref="BackupErrorId"/>.</summary>
    public string ErrorId { get; }

    /// <summary>The kind of fault.</summary>
    public BackupErrorCategory Category { get; }

    /// <summary>The path, backup id or value concerned.</summary>
    public object? Target { get; }
}
