namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>Something to read on.</summary>
/// <param name="Text">Its title, or the name of another cmdlet.</param>
/// <param name="Uri">Where it is; empty for another cmdlet.</param>
internal sealed record LinkHelp(string Text, string Uri);
