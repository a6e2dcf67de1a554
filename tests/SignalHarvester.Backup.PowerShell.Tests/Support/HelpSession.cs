namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>One engine for all tests that only read help: each engine reads all of the module's help anew.</summary>
public sealed class HelpSession : IDisposable
{
    /// <summary>The engine.</summary>
    internal PowerShellSession Session { get; } = PowerShellSession.Start();

    /// <inheritdoc/>
    public void Dispose() => Session.Dispose();
}
