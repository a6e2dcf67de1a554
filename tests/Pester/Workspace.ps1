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
