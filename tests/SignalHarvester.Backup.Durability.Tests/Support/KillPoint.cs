namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>Where a run is killed: at a change of the file system, or at a random time after it.</summary>
/// <param name="Kind">The change.</param>
/// <param name="Pattern">A part or the end of the changed path, relative to the watched folder.</param>
/// <param name="IsRandom">Whether the time after the change is random; otherwise the kill comes at the change itself.</param>
internal sealed record KillPoint(WatcherChangeTypes Kind, string Pattern, bool IsRandom)
{
    /// <summary>
    /// Sends the command, kills the process at this point, and returns whether that was before the command had ended.
    /// </summary>
    /// <param name="victim">A process that waits for commands.</param>
    /// <param name="command">The command.</param>
    /// <param name="folder">The folder to watch.</param>
    /// <param name="span">The longest random delay: about the time from the change to the command's end.</param>
    /// <param name="random">Chooses the delay.</param>
    public async Task<bool> KillAsync(Shbackup victim, string command, string folder, TimeSpan span, Random random)
    {
        using var change = new FileEvent(folder, Kind, path => path.EndsWith(Pattern, StringComparison.Ordinal)
            || Pattern.EndsWith('*') && path.Contains(Pattern[..^1], StringComparison.Ordinal));
        Task ended = victim.SendAsync(command);
        await Task.WhenAny(change.Seen, ended);
        if (IsRandom)
        {
            await Task.WhenAny(Task.Delay(span * random.NextDouble()), ended);
        }

        var killed = !victim.IsIdle;
        victim.Kill();

        // Its pipe is closed now; an answer that was still in transit counts as an end.
        await Task.WhenAny(ended);
        return killed;
    }
}
