namespace SignalHarvester.Backup.Host;

/// <summary>The exit codes of <c>shbackup</c> that do not come from a script's own <c>exit</c>.</summary>
internal static class ExitCode
{
    /// <summary>The pipeline ended with <c>$?</c> true.</summary>
    public const int Success = 0;

    /// <summary>The pipeline ended with <c>$?</c> false or with a terminating error, or the module could not be loaded.</summary>
    public const int Failure = 1;

    /// <summary>The command line was not understood (EX_USAGE of sysexits.h).</summary>
    public const int Usage = 64;

    /// <summary>Added to the number of the signal that ended the run, as shells do.</summary>
    public const int SignalBase = 128;
}
