namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>Requests that a server had.</summary>
/// <param name="Puts">Those that store something, which are the dear ones.</param>
/// <param name="All">All of them.</param>
internal readonly record struct RequestCount(int Puts, int All)
{
    public static RequestCount operator -(RequestCount left, RequestCount right) => new(left.Puts - right.Puts, left.All - right.All);
}
