using System.Diagnostics;

namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>A verb of this program that works in its own process beside the contestants, until this is disposed.</summary>
internal sealed class Companion : IDisposable
{
    /// <summary>What the child prints when it starts its work. It ends when its input closes.</summary>
    public const string Ready = "ready";

    private readonly Process process;

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <exception cref="BenchException">It ended instead.</exception>
    public Companion(params string[] arguments)
    {
        process = Command.Self(arguments).Start();
        if (process.StandardOutput.ReadLine() != Ready)
        {
            Dispose();
            throw new BenchException($"The bench's own '{arguments[0]}' did not start.");
        }
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
    }
}
