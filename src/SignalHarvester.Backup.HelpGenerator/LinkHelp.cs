namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>A link to further reading.</summary>
/// <param name="Text">Its title, or the name of another cmdlet.</param>
/// <param name="Uri">Its address; empty for another cmdlet.</param>
internal sealed record LinkHelp(string Text, string Uri);
