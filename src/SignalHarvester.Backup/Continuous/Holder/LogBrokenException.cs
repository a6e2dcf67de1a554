namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>The log does not prove that nothing is missing between the place up to which it was read and its end.</summary>
/// <param name="message">Why, as a clause.</param>
internal sealed class LogBrokenException(string message) : Exception(message);
