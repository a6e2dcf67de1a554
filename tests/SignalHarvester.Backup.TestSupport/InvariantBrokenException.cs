namespace SignalHarvester.Backup.TestSupport;

/// <summary>A copy of the writer's database is a state that the database never had; the message says how.</summary>
public sealed class InvariantBrokenException : Exception
{
    public InvariantBrokenException(string message)
        : base(message)
    {
    }

    public InvariantBrokenException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
