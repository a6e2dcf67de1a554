namespace SignalHarvester.Backup.Host.Tests;

internal sealed record RunResult(int ExitCode, string Output, string Error);
