Describe 'Test-SHBackupStore' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach { Enter-Workspace }
    AfterEach { Exit-Workspace }

    It 'says what works, and is an error for a store that does not' {
        New-SHBackupStore nas ./nas -CreateContainer | Out-Null
        New-SHBackupStore gone ./gone -Force -WarningAction SilentlyContinue | Out-Null
        (Get-SHBackupStore nas | Test-SHBackupStore).Works | Should -Be 'everything'
        Test-SHBackupStore gone -Quiet | Should -BeFalse
        { Test-SHBackupStore gone -ErrorAction Stop } | Should -Throw -ErrorId 'CloudContainerNotFound,*'
    }
}
