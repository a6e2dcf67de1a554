namespace SignalHarvester.Backup.Host.Tests;

/// <summary>A script in a folder of its own, deleted after the test.</summary>
internal sealed class ScriptFile : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("shbackup [test] ");

    public ScriptFile(string text)
    {
        File.WriteAllText(this.Path, text);
    }

    public string Folder => folder.FullName;

    public string Path => System.IO.Path.Combine(folder.FullName, "a script.ps1");

    public void Dispose() => folder.Delete(recursive: true);
}
