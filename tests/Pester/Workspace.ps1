<#
.SYNOPSIS
Makes a folder with app.db, the sample, and makes it the current location. Dot-source this in BeforeAll.
#>
function Enter-Workspace {
    $workspace = New-Item -ItemType Directory -Path (Join-Path 'TestDrive:' "Größe für $([guid]::NewGuid())")
    Copy-Item -LiteralPath (Join-Path $PSScriptRoot '..' '..' 'samples' 'app.db') -Destination $workspace.FullName
    Push-Location -LiteralPath $workspace.FullName
}

<#
.SYNOPSIS
Goes back to where the tests were started.
#>
function Exit-Workspace {
    Pop-Location
}

<#
.SYNOPSIS
Changes one page of a database that nobody has open: the last byte of its PRAGMA user_version.
#>
function Edit-Database([string] $Path) {
    $file = [System.IO.File]::Open((Convert-Path -LiteralPath $Path), 'Open')
    try {
        $file.Position = 63
        $value = $file.ReadByte()
        $file.Position = 63
        $file.WriteByte(($value + 1) % 256)
    }
    finally { $file.Dispose() }
}

<#
.SYNOPSIS
Makes a backup and gives it another age.
#>
function New-AgedBackup([timespan] $Age, [hashtable] $Change = @{}) {
    $backup = New-SHBackup ./app.db -NoVerify
    $path = Join-Path $backup.BackupDirectory "$($backup.Id).json"
    $sidecar = Get-Content -LiteralPath $path -Raw | ConvertFrom-Json -AsHashtable -DateKind String
    $sidecar.timestamp = [datetime]::UtcNow.Subtract($Age).ToString('o')
    foreach ($name in $Change.Keys) { $sidecar[$name] = $Change[$name] }
    $sidecar | ConvertTo-Json -Depth 9 | Set-Content -LiteralPath $path
    $backup.Id
}
