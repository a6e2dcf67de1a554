namespace SignalHarvester.Backup.TestSupport;

/// <summary>A copy of the writer's database is no state that the database ever was in; the message says how.</summary>
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
