using System.Diagnostics;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>Another process that has a database open, in the middle of a transaction.</summary>
internal sealed class DatabaseHolder : IDisposable
{
    private readonly Process process;

    /// <summary>Starts it; skips the test, visibly, where the sqlite3 shell is not installed.</summary>
    /// <param name="database">The database.</param>
    /// <param name="statements">What leaves the transaction open.</param>
    public DatabaseHolder(string database, string statements)
    {
        _ = Tool.Require("sqlite3");
        process = Process.Start(new ProcessStartInfo(Tool.Find("sqlite3")!, [database])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        process.StandardInput.WriteLine(statements);
        process.StandardInput.WriteLine("SELECT 'held';");
        process.StandardInput.Flush();
        string? line;
        do
        {
            line = process.StandardOutput.ReadLine();
        }
        while (line is not null and not "held");
        Assert.Equal("held", line);
    }

    /// <summary>Ends the process and its transaction.</summary>
    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
