using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.ModuleTests;

/// <summary>
/// What a fresh process compiles before it has read a backup's description. Generic code of .NET for types of ours, and for
/// unusual combinations of its own types, cannot be compiled ahead, and takes longer than reading thousands of descriptions.
/// </summary>
public sealed class CompiledAheadTests
{
    // A serializer takes 400 and more.
    private const int Most = 60;

    [Theory]
    [InlineData("Get-SHBackup")]
    [InlineData("Invoke-SHBackupRetention -WhatIf")]
    public void A_description_is_read_by_code_that_was_compiled_ahead(string command)
    {
        Assert.SkipUnless(BuiltModule.Configuration == "Release", "only the host of a Release is compiled ahead");
        using var workspace = new Workspace();
        workspace.MakeBackup();
        Directory.CreateDirectory(Path.Combine(workspace.Folder, "none"));
        using var shell = new ShellProcess(
            ShellProcess.Host,
            workspace.Folder,
            $"""
            $null = {command} -BackupDirectory ./none
            $before = [Runtime.JitInfo]::GetCompiledMethodCount()
            $made = @({command} -BackupDirectory ./backups)
            $compiled = [Runtime.JitInfo]::GetCompiledMethodCount() - $before
            "$($made.Count) backup, $compiled compiled"
            """);

        var output = shell.Finish().Output;

        var words = output.TrimEnd().Split('\n')[^1].Split(' ');
        Assert.Equal("1", words[0]);
        Assert.InRange(int.Parse(words[2], System.Globalization.CultureInfo.InvariantCulture), 0, Most);
    }
}
