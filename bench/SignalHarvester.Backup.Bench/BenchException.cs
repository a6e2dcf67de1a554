namespace SignalHarvester.Backup.Bench;

/// <summary>A problem that the person at the bench can act on: a failed contestant, a wrong argument.</summary>
internal sealed class BenchException(string message) : Exception(message);
