namespace SignalHarvester.Backup.Host;

/// <summary>What one start of <c>shbackup</c> is to do.</summary>
internal enum RunMode
{
    /// <summary>Run the text given with -Command.</summary>
    Command,

    /// <summary>Run a script file with arguments.</summary>
    File,

    /// <summary>Run all of standard input as one script.</summary>
    StandardInput,

    /// <summary>Read and run commands from the terminal.</summary>
    Interactive,

    /// <summary>Print the usage.</summary>
    Help,

    /// <summary>Print the versions.</summary>
    Version,
}
