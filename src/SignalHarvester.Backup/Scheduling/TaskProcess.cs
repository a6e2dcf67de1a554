using System.Diagnostics;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>A process of its own for work that a session must not do itself.</summary>
public static class TaskProcess
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    /// <summary>Runs a command to its end. What it says appears where this process says it.</summary>
    /// <param name="command">The command.</param>
    /// <param name="input">The text on its standard input, which no other process sees.</param>
    /// <param name="folder">The folder in which it starts.</param>
    /// <param name="stop">Asks it to stop, once.</param>
    /// <param name="stopped">Cancelled when it is to stop.</param>
    /// <returns>Its exit code.</returns>
    public static int Run(TaskCommand command, string input, string folder, Action stop, CancellationToken stopped)
    {
        ArgumentNullException.ThrowIfNull(command);
        ArgumentNullException.ThrowIfNull(stop);
        var start = new ProcessStartInfo(command.Program, command.Arguments)
        {
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = folder,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        for (var isAsked = false; !process.WaitForExit(Look);)
        {
            if (stopped.IsCancellationRequested && !isAsked)
            {
                isAsked = true;
                stop();
            }
        }

        return process.ExitCode;
    }
}
