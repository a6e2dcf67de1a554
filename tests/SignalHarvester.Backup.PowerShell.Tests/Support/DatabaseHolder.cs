using System.Diagnostics;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>Another process that has a database open.</summary>
internal sealed class DatabaseHolder : IDisposable
{
    private readonly Process process;

    /// <summary>Starts it; skips the test, visibly, if the sqlite3 shell is not installed.</summary>
    /// <param name="database">The database.</param>
    /// <param name="statements">The first statements, such as those that leave a transaction open.</param>
    public DatabaseHolder(string database, string statements)
    {
        _ = Tool.Require("sqlite3");
        process = Process.Start(new ProcessStartInfo(Tool.Find("sqlite3")!, [database])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        _ = Execute(statements);
    }

    /// <summary>Runs more statements in it.</summary>
    /// <returns>Their last line of output; empty if there is none.</returns>
    public string Execute(string statements)
    {
        process.StandardInput.WriteLine(statements);
        process.StandardInput.WriteLine("SELECT 'held';");
        process.StandardInput.Flush();
        for (var last = string.Empty; ;)
        {
            switch (process.StandardOutput.ReadLine())
            {
                case "held":
                    return last;
                case { } line:
                    last = line;
                    break;
                default:
                    Assert.Fail("sqlite3 has ended.");
                    break;
            }
        }
    }

    /// <summary>Ends the process and its transaction.</summary>
    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
